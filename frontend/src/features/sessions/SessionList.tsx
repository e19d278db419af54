import { useDeferredValue, useRef, useState } from "react";

import { usePendingVerifications } from "../../api/requests/listPendingVerifications";
import { useSessions } from "../../api/requests/listSessions";
import type { SessionStatus } from "../../api/types";
import { Loading, Outdated } from "../../components/Loading";
import { useShortcuts } from "../../components/shortcuts";
import { useTitle } from "../../components/useTitle";
import { NewSession } from "./NewSession";
import { SessionRow } from "./SessionRow";

const STATUSES: readonly [SessionStatus | "", string][] = [
  ["", "All"],
  ["active", "Active"],
  ["resolved", "Resolved"],
  ["escalated", "Escalated"],
];
const EVERY_MS = 10_000;

export function SessionList({ mayAct }: { mayAct: boolean }) {
  useTitle("Sessions");
  const [asking, setAsking] = useState(false);
  const [search, setSearch] = useState("");
  const [status, setStatus] = useState<SessionStatus | "">("");
  const box = useRef<HTMLInputElement>(null);
  const sessions = useSessions(useDeferredValue(search.trim()), status, EVERY_MS);
  const { data: pending } = usePendingVerifications(false, EVERY_MS);
  const waiting = Map.groupBy(pending ?? [], (item) => item.session.id);
  const items = sessions.data?.pages.flatMap((page) => page.items);
  useShortcuts({ "/": () => box.current?.focus(), n: mayAct ? () => setAsking(true) : undefined });

  return (
    <main className="page" tabIndex={-1}>
      <header className="page-head">
        <h1>Sessions</h1>
        <input
          ref={box}
          type="search"
          aria-label="Search sessions"
          aria-keyshortcuts="/"
          placeholder="Search title, report, ticket"
          maxLength={200}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <div className="toggle" role="group" aria-label="Status">
          {STATUSES.map(([each, name]) => (
            <button key={each} type="button" aria-pressed={each === status} onClick={() => setStatus(each)}>
              {name}
            </button>
          ))}
        </div>
        {mayAct && (
          <button
            type="button"
            className="main"
            aria-expanded={asking}
            aria-keyshortcuts="n"
            onClick={() => setAsking(!asking)}
          >
            New session
          </button>
        )}
      </header>
      {asking && <NewSession onCancel={() => setAsking(false)} />}
      {items ? (
        <Outdated error={sessions.error} />
      ) : (
        <Loading what="sessions" error={sessions.error} again={() => void sessions.refetch()} />
      )}
      {items?.length === 0 && <Nothing searched={search !== "" || status !== ""} />}
      <ol className="sessions" aria-busy={sessions.isPlaceholderData}>
        {items?.map((session) => (
          <SessionRow key={session.id} session={session} waiting={waiting.get(session.id)?.length ?? 0} />
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

function Nothing({ searched }: { searched: boolean }) {
  return (
    <div className="empty">
      {searched ? (
        <p>No session is like that.</p>
      ) : (
        <>
          <p>No sessions yet.</p>
          <p>A session begins with a ticket: paste what came in, and the conversation, its fixes and notes live here.</p>
        </>
      )}
    </div>
  );
}
