import { useDeferredValue, useRef, useState } from "react";
import { Link } from "wouter";

import { usePendingVerifications } from "../../api/requests/listPendingVerifications";
import { useSessions } from "../../api/requests/listSessions";
import type { Session, SessionStatus } from "../../api/types";
import { Age } from "../../components/Age";
import { Badge } from "../../components/Badge";
import { Loading } from "../../components/Loading";
import { useShortcuts } from "../../components/shortcuts";
import { titleOf } from "../../components/words";
import { NewSession } from "./NewSession";

const STATUSES: readonly (SessionStatus | "")[] = ["", "active", "resolved", "escalated"];

export function SessionList({ mayAct }: { mayAct: boolean }) {
  const [search, setSearch] = useState("");
  const [status, setStatus] = useState<SessionStatus | "">("");
  const box = useRef<HTMLInputElement>(null);
  const sessions = useSessions(useDeferredValue(search.trim()), status);
  const { data: pending } = usePendingVerifications(false, 15_000);
  const waiting = Map.groupBy(pending ?? [], (item) => item.session.id);
  const items = sessions.data?.pages.flatMap((page) => page.items);
  useShortcuts({ "/": () => box.current?.focus() });

  return (
    <main className="page" tabIndex={-1}>
      <header className="page-head">
        <h1>Sessions</h1>
        <input
          ref={box}
          type="search"
          aria-label="Search sessions"
          aria-keyshortcuts="/"
          placeholder="Search title, report, ticket  ( / )"
          maxLength={200}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <div className="toggle" role="group" aria-label="Status">
          {STATUSES.map((each) => (
            <button key={each} type="button" aria-pressed={each === status} onClick={() => setStatus(each)}>
              {each || "all"}
            </button>
          ))}
        </div>
      </header>
      {mayAct && <NewSession />}
      {!items && <Loading what="sessions" error={sessions.error} again={() => void sessions.refetch()} />}
      {items?.length === 0 && <p className="empty">{search || status ? "Nothing is like that." : "No sessions yet."}</p>}
      <ol className="sessions" aria-busy={sessions.isPlaceholderData}>
        {items?.map((session) => (
          <Row key={session.id} session={session} waiting={waiting.get(session.id)?.length ?? 0} />
        ))}
      </ol>
      {sessions.hasNextPage && (
        <button type="button" disabled={sessions.isFetchingNextPage} onClick={() => void sessions.fetchNextPage()}>
          Show older ones
        </button>
      )}
    </main>
  );
}

function Row({ session, waiting }: { session: Session; waiting: number }) {
  return (
    <li>
      <Link href={`/sessions/${session.id}`}>
        <span className="session-title">{titleOf(session)}</span>
        <span className="session-facts">
          {waiting > 0 && <span className="badge applied_pending">awaiting verification</span>}
          <Badge status={session.status} />
          {session.ticket && (
            <span className="muted">
              {session.ticket.system} {session.ticket.id}
            </span>
          )}
          <span className="muted">
            {session.created_by.name ?? "somebody"}, <Age at={session.created_at} />
          </span>
        </span>
      </Link>
    </li>
  );
}
