import { type SyntheticEvent, useState } from "react";

import { suggestFix } from "../../api/requests/suggestFix";
import { useChange } from "../../api/useChange";
import { ChangeStatus } from "../../components/verdict/ChangeStatus";

const EMPTY = { title: "", description: "", confidence: "70" };

export function SuggestFix({ sessionId }: { sessionId: string }) {
  const [fix, setFix] = useState(EMPTY);
  const change = useChange();
  const ready = fix.title.trim() !== "" && fix.description.trim() !== "" && !change.busy;
  const send = async (event: SyntheticEvent) => {
    event.preventDefault();
    if (!ready) return;
    const { title, description, confidence } = fix;
    const suggested = await change.run({
      what: "the fix",
      sessionId,
      call: (key) => suggestFix(sessionId, { title, description, confidence_pct: Number(confidence) }, key),
    });
    if (suggested) setFix(EMPTY);
  };
  return (
    <details className="disclosed">
      <summary>Suggest a fix…</summary>
      <form className="stacked" onSubmit={send}>
        <label>
          Title
          <input required maxLength={300} value={fix.title} onChange={(e) => setFix({ ...fix, title: e.target.value })} />
        </label>
        <label>
          What to do
          <textarea
            required
            rows={3}
            value={fix.description}
            onChange={(e) => setFix({ ...fix, description: e.target.value })}
          />
        </label>
        <label>
          Confidence: {fix.confidence} %
          <input
            type="range"
            min={0}
            max={100}
            step={5}
            value={fix.confidence}
            onChange={(e) => setFix({ ...fix, confidence: e.target.value })}
          />
        </label>
        <button type="submit" className="main" disabled={!ready}>
          Suggest
        </button>
        <ChangeStatus change={change} />
      </form>
    </details>
  );
}
