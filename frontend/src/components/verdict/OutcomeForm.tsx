// The words that go with an outcome, asked for in place. They stay when somebody else was faster.
import { type KeyboardEvent, type SyntheticEvent, useEffect, useId, useRef, useState } from "react";

import type { Outcome } from "../../api/types";
import { OUTCOME } from "../words";

const LONGEST = 4_000;

const QUESTION: Record<Outcome, string> = {
  applied_pending: "What are you waiting on?",
  applied_partial: "What was applied, and what is left?",
  applied_failed: "What happened?",
  applied_success: "How was it verified?",
  dismissed: "Why not?",
};

export interface Draft {
  outcome: Outcome;
  notes: string;
  /** The outcomes to choose from, where the person edits a proposal. */
  choices?: readonly Outcome[];
}

interface Props {
  draft: Draft;
  busy: boolean;
  /** Why it cannot be recorded any more. */
  overtaken: string | null;
  onSubmit: (outcome: Outcome, notes: string) => void;
  onCancel: () => void;
}

export function OutcomeForm({ draft, busy, overtaken, onSubmit, onCancel }: Props) {
  const [outcome, setOutcome] = useState(draft.outcome);
  const [notes, setNotes] = useState(draft.notes);
  const id = useId();
  const words = useRef<HTMLTextAreaElement>(null);
  const required = outcome === "applied_pending" || outcome === "applied_partial";
  const ready = !busy && !overtaken && (!required || notes.trim() !== "");
  useEffect(() => words.current?.focus(), []);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (ready) onSubmit(outcome, notes.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onCancel();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  };
  return (
    <form className="outcome-form" onSubmit={submit} onKeyDown={onKeyDown}>
      {draft.choices && <Choice choices={draft.choices} chosen={outcome} onChoose={setOutcome} />}
      <label htmlFor={id}>
        {QUESTION[outcome]} {required ? "" : <span className="muted">(optional)</span>}
      </label>
      <textarea
        id={id}
        ref={words}
        rows={2}
        maxLength={LONGEST}
        required={required}
        readOnly={overtaken !== null}
        value={notes}
        onChange={(event) => setNotes(event.target.value)}
      />
      {overtaken && <p className="refused">{overtaken} Your words are still here, to copy.</p>}
      <div className="actions">
        <button type="submit" className="main" disabled={!ready}>
          Record “{OUTCOME[outcome]}”
        </button>
        <button type="button" className="quiet" onClick={onCancel}>
          {overtaken ? "Close" : "Cancel"}
        </button>
        <span className="muted hint">Ctrl+Enter records, Esc leaves</span>
      </div>
    </form>
  );
}

function Choice(props: { choices: readonly Outcome[]; chosen: Outcome; onChoose: (outcome: Outcome) => void }) {
  return (
    <fieldset className="choice">
      <legend>What came of it</legend>
      {props.choices.map((outcome) => (
        <label key={outcome}>
          <input
            type="radio"
            name="outcome"
            checked={outcome === props.chosen}
            onChange={() => props.onChoose(outcome)}
          />
          {OUTCOME[outcome]}
        </label>
      ))}
    </fieldset>
  );
}
