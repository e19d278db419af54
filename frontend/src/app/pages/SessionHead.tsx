import { useState } from "react";

import type { Ending } from "../../api/requests/endSession";
import type { Connection } from "../../api/stream";
import type { SessionWithFixes } from "../../api/types";
import { Badge } from "../../components/Badge";
import { titleOf } from "../../components/words";
import { EndSession } from "../../features/ending/EndSession";

interface Props {
  session: SessionWithFixes;
  connection: Connection;
  mayAct: boolean;
  view: "talk" | "record";
  onView: (view: "talk" | "record") => void;
}

const LIVE: Record<Connection, string> = {
  connecting: "Connecting…",
  live: "Live",
  lost: "Connection lost: reconnecting…",
  refused: "Not connected",
};

export function SessionHead({ session, connection, mayAct, view, onView }: Props) {
  const [ending, setEnding] = useState<Ending | null>(null);
  return (
    <header className="session-head">
      <div className="session-name">
        <h1>{titleOf(session)}</h1>
        <p className="muted">
          <Badge status={session.status} /> <TicketLink session={session} />
          <span className={`live ${connection}`} role="status">
            {LIVE[connection]}
          </span>
        </p>
      </div>
      <div className="actions">
        <div className="toggle narrow-only" role="group" aria-label="Show">
          <button type="button" aria-pressed={view === "talk"} onClick={() => onView("talk")}>
            Talk
          </button>
          <button type="button" aria-pressed={view === "record"} onClick={() => onView("record")}>
            Record
          </button>
        </div>
        {mayAct && session.status === "active" && (
          <>
            <button type="button" onClick={() => setEnding("escalate")}>
              Escalate…
            </button>
            <button type="button" onClick={() => setEnding("resolve")}>
              Resolve…
            </button>
          </>
        )}
      </div>
      {ending && <EndSession session={session} ending={ending} onClose={() => setEnding(null)} />}
    </header>
  );
}

function TicketLink({ session: { ticket } }: { session: SessionWithFixes }) {
  if (!ticket) return null;
  const name = `${ticket.system} ${ticket.id}`;
  if (!ticket.url || !/^https?:\/\//.test(ticket.url)) return <span>{name}</span>;
  return (
    <a href={ticket.url} target="_blank" rel="noopener noreferrer">
      {name}
    </a>
  );
}
