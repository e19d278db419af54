import { type SyntheticEvent, useState } from "react";

import { confirmFact } from "../../api/requests/confirmFact";
import type { Fact, Visibility } from "../../api/types";
import { useChange } from "../../api/useChange";
import { Age } from "../../components/Age";
import { ChangeStatus } from "../../components/verdict/ChangeStatus";

interface Props {
  sessionId: string;
  facts: readonly Fact[];
  mayAct: boolean;
}

export function Facts({ sessionId, facts, mayAct }: Props) {
  return (
    <>
      {facts.length === 0 && <p className="empty">Nothing is confirmed yet.</p>}
      <ul className="facts">
        {facts.map((fact) => (
          <li key={fact.id}>
            <p className="long-text">{fact.text}</p>
            <p className="muted">
              <span className={`badge ${fact.visibility}`}>
                {fact.visibility === "client" ? "client may read it" : "internal"}
              </span>{" "}
              <Age at={fact.created_at} /> by {fact.author.name ?? "somebody"}
            </p>
          </li>
        ))}
      </ul>
      {mayAct && <ConfirmFact sessionId={sessionId} />}
    </>
  );
}

function ConfirmFact({ sessionId }: { sessionId: string }) {
  const [text, setText] = useState("");
  const [visibility, setVisibility] = useState<Visibility>("client");
  const change = useChange();
  const ready = text.trim() !== "" && !change.busy;
  const send = async (event: SyntheticEvent) => {
    event.preventDefault();
    if (!ready) return;
    const confirmed = await change.run({
      what: "the fact",
      sessionId,
      call: (key) => confirmFact(sessionId, text.trim(), visibility, key),
    });
    if (confirmed) setText("");
  };
  return (
    <form className="stacked" onSubmit={send}>
      <label>
        Confirm a fact
        <textarea rows={2} maxLength={4_000} value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      <div className="actions">
        <label className="check">
          <input
            type="checkbox"
            checked={visibility === "internal"}
            onChange={(event) => setVisibility(event.target.checked ? "internal" : "client")}
          />
          Internal: not for the client
        </label>
        <button type="submit" disabled={!ready}>
          Confirm
        </button>
      </div>
      <ChangeStatus change={change} />
    </form>
  );
}
