import { type KeyboardEvent, type SyntheticEvent, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";

import { createSession } from "../../api/requests/createSession";
import type { NewSession as Asked, Session } from "../../api/types";
import { useChange } from "../../api/useChange";
import { ChangeStatus } from "../../components/verdict/ChangeStatus";

const EMPTY = { text: "", title: "", system: "", number: "" };

export function NewSession({ onCancel }: { onCancel: () => void }) {
  const [asked, setAsked] = useState(EMPTY);
  const [, navigate] = useLocation();
  const change = useChange();
  const text = useRef<HTMLTextAreaElement>(null);
  const ready = asked.text.trim() !== "" && (asked.system === "") === (asked.number === "") && !change.busy;
  useEffect(() => text.current?.focus(), []);
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!ready) return;
    void change.run<Session>({
      what: "the session",
      call: (key) => createSession(bodyOf(asked), key),
      adopt: (session) => navigate(`/sessions/${session.id}`),
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(event);
  };
  const field = (name: keyof typeof EMPTY) => ({
    value: asked[name],
    onChange: (event: { target: { value: string } }) => setAsked({ ...asked, [name]: event.target.value }),
  });
  return (
    <form className="stacked card" aria-labelledby="new-session" onSubmit={send} onKeyDown={onKeyDown}>
      <h2 id="new-session">New session from a ticket</h2>
      <label>
        The ticket, as it came in
        <textarea ref={text} required rows={5} maxLength={100_000} {...field("text")} />
      </label>
      <div className="columns">
        <label>
          Title <span className="muted">(optional)</span>
          <input maxLength={300} {...field("title")} />
        </label>
        <label>
          PSA system <span className="muted">(optional)</span>
          <input maxLength={100} placeholder="halopsa" {...field("system")} />
        </label>
        <label>
          Ticket number <span className="muted">(with a PSA system)</span>
          <input maxLength={100} {...field("number")} />
        </label>
      </div>
      <div className="actions">
        <button type="submit" className="main" disabled={!ready}>
          Open session
        </button>
        <button type="button" className="quiet" onClick={onCancel}>
          Cancel
        </button>
        <span className="hint">Ctrl+Enter opens it</span>
      </div>
      <ChangeStatus change={change} />
    </form>
  );
}

function bodyOf({ text, title, system, number }: typeof EMPTY): Asked {
  return {
    session_type: "chat",
    intake_type: "free_text",
    intake_content: { text },
    ...(title.trim() && { title }),
    ...(system && { ticket: { system, id: number } }),
  };
}
