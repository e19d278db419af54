import { Link } from "wouter";

import type { Session } from "../../api/types";
import { Age } from "../../components/Age";
import { Badge } from "../../components/Badge";
import { titleOf } from "../../components/words";

export function SessionRow({ session, waiting }: { session: Session; waiting: number }) {
  const { ticket, created_by } = session;
  return (
    <li>
      <Link href={`/sessions/${session.id}`}>
        <span className="session-title">{titleOf(session)}</span>
        <span className="session-state">
          {waiting > 0 && <span className="badge applied_pending">awaiting verification</span>}
          <Badge status={session.status} />
        </span>
        <span className="muted session-who">
          {ticket && `${ticket.system} ${ticket.id} · `}
          {created_by.name ?? "somebody"}
        </span>
        <span className="muted session-age">
          <Age at={session.created_at} />
        </span>
      </Link>
    </li>
  );
}
