// Everything that waits for somebody to look again, the longest wait first.
import { useState } from "react";

import { usePendingVerifications } from "../../api/requests/listPendingVerifications";
import type { PendingVerification } from "../../api/types";
import { Loading, Outdated } from "../../components/Loading";
import { useTitle } from "../../components/useTitle";
import { QueueRow } from "./QueueRow";

const EVERY_MS = 2_000;

export function Queue({ mayAct }: { mayAct: boolean }) {
  useTitle("Awaiting verification");
  const [mine, setMine] = useState(false);
  const [touched, setTouched] = useState<readonly PendingVerification[]>([]);
  const { data, error, refetch } = usePendingVerifications(mine, EVERY_MS);
  const turn = (whose: boolean) => {
    setMine(whose);
    setTouched([]);
  };
  const waiting = new Set(data?.map(({ fix }) => fix.id));
  const rows = data && withTouched(data, touched);
  return (
    <main className="page" tabIndex={-1}>
      <header className="page-head">
        <h1>Awaiting verification</h1>
        <div className="toggle" role="group" aria-label="Whose">
          <button type="button" aria-pressed={!mine} onClick={() => turn(false)}>
            All
          </button>
          <button type="button" aria-pressed={mine} onClick={() => turn(true)}>
            Parked by me
          </button>
        </div>
      </header>
      {rows ? (
        <Outdated error={error} />
      ) : (
        <Loading what="what awaits verification" error={error} again={() => void refetch()} />
      )}
      {rows?.length === 0 && (
        <div className="empty">
          <p>Nothing awaits verification{mine && " that you have parked"}.</p>
          <p>A fix that is applied, but cannot be judged yet, waits here with its reason, until somebody has looked again.</p>
        </div>
      )}
      <ol className="queue">
        {rows?.map((item) => (
          <QueueRow
            key={item.fix.id}
            item={item}
            decided={!waiting.has(item.fix.id)}
            mayAct={mayAct}
            onTouch={() => setTouched((others) => [...others.filter(({ fix }) => fix.id !== item.fix.id), item])}
          />
        ))}
      </ol>
    </main>
  );
}

/** A row that somebody works on stays in its place when its wait is over: with its words, and without another under the hand. */
function withTouched(
  data: readonly PendingVerification[],
  touched: readonly PendingVerification[],
): PendingVerification[] {
  const gone = touched.filter((row) => !data.some(({ fix }) => fix.id === row.fix.id));
  return [...data, ...gone].sort((one, other) => Date.parse(one.since) - Date.parse(other.since));
}
