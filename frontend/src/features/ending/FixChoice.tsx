import type { Ending } from "../../api/requests/endSession";
import type { Fix } from "../../api/types";
import { Badge } from "../../components/Badge";
import { type Choice, needsNotes, optionsOf } from "./choices";

interface Props {
  fix: Fix;
  ending: Ending;
  choice: Choice | undefined;
  onChoose: (choice: Choice) => void;
}

export function FixChoice({ fix, ending, choice, onChoose }: Props) {
  const notes = choice?.notes ?? "";
  return (
    <fieldset className="choice fix-choice">
      <legend>
        {fix.title} <Badge status={fix.status === "proposed" ? "no verdict" : fix.status} />
      </legend>
      {optionsOf(fix, ending).map(({ outcome, label }) => (
        <label key={label}>
          <input
            type="radio"
            name={`choice-${fix.id}`}
            checked={choice !== undefined && choice.outcome === outcome}
            onChange={() => onChoose({ outcome, notes })}
          />
          {label}
        </label>
      ))}
      {choice && needsNotes(choice) && (
        <label className="wide">
          {choice.outcome === "applied_pending" ? "What are you waiting on?" : "What was applied, and what is left?"}
          <textarea
            required
            rows={2}
            maxLength={4_000}
            value={notes}
            onChange={(event) => onChoose({ ...choice, notes: event.target.value })}
          />
        </label>
      )}
    </fieldset>
  );
}
