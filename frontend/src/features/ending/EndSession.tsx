// Resolve and Escalate, intercepted: nobody's open fix is turned into a success, or forgotten, silently.
import { type SyntheticEvent, useState } from "react";

import { Problem } from "../../api/problem";
import type { Ending } from "../../api/requests/endSession";
import type { SessionWithFixes } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { inWords } from "../../components/refusals";
import { FixChoice } from "./FixChoice";
import { type Choice, isComplete, openFixes } from "./choices";
import { useEnding } from "./useEnding";

interface Props {
  session: SessionWithFixes;
  ending: Ending;
  onClose: () => void;
}

const TITLE: Record<Ending, string> = { resolve: "Resolve this session", escalate: "Escalate this session" };
const MEANING: Record<Ending, string> = {
  resolve: "It is closed for good. What is recorded stays as it is.",
  escalate: "It goes to the next engineer, with the escalation package.",
};

export function EndSession({ session, ending, onClose }: Props) {
  const [choices, setChoices] = useState<Record<string, Choice>>({});
  const { end, state } = useEnding(session, ending, onClose);
  const open = openFixes(session.fixes ?? []);
  const ready = !state.busy && open.every((fix) => isComplete(choices[fix.id]));
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (ready) void end(open, choices);
  };
  return (
    <Dialog title={TITLE[ending]} onClose={onClose}>
      <form className="stacked" onSubmit={submit}>
        <p>{MEANING[ending]}</p>
        {open.length > 0 && (
          <p>
            <strong>
              {open.length === 1 ? "One fix still needs an outcome." : `${open.length} fixes still need an outcome.`}
            </strong>{" "}
            Say what came of {open.length === 1 ? "it" : "each"}.
          </p>
        )}
        {open.map((fix) => (
          <FixChoice
            key={fix.id}
            fix={fix}
            ending={ending}
            choice={choices[fix.id]}
            onChoose={(choice) => setChoices({ ...choices, [fix.id]: choice })}
          />
        ))}
        <div role="status" aria-live="polite">
          {state.words && <p className="muted">{state.words}</p>}
        </div>
        {state.error !== null && (
          <p className="refused" role="alert">
            {state.error instanceof Problem && state.error.code === "fix_needs_outcome"
              ? "A fix needs an outcome that was not there a moment ago. Say what came of it."
              : inWords(state.error)}
          </p>
        )}
        <div className="actions">
          <button type="submit" className="main" disabled={!ready}>
            {ending === "resolve" ? "Resolve" : "Escalate"}
          </button>
          <button type="button" className="quiet" onClick={onClose}>
            {state.busy ? "Leave" : "Cancel"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
