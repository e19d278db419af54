// Everything that waits for somebody to look again, the longest wait first.
import { useState } from "react";

import { usePendingVerifications } from "../../api/requests/listPendingVerifications";
import { Loading } from "../../components/Loading";
import { QueueRow } from "./QueueRow";

export function Queue({ mayAct }: { mayAct: boolean }) {
  const [mine, setMine] = useState(false);
  const { data, error, refetch } = usePendingVerifications(mine);
  return (
    <main className="page" tabIndex={-1}>
      <header className="page-head">
        <h1>Awaiting verification</h1>
        <div className="toggle" role="group" aria-label="Whose">
          <button type="button" aria-pressed={!mine} onClick={() => setMine(false)}>
            All
          </button>
          <button type="button" aria-pressed={mine} onClick={() => setMine(true)}>
            Parked by me
          </button>
        </div>
      </header>
      {!data && <Loading what="what awaits verification" error={error} again={() => void refetch()} />}
      {data && error && (
        <p className="refused" role="alert">
          The list cannot be read right now; this is how it was.
        </p>
      )}
      {data?.length === 0 && <p className="empty">Nothing awaits verification. Good.</p>}
      <ol className="queue">
        {data?.map((item) => (
          <QueueRow key={item.fix.id} item={item} mayAct={mayAct} />
        ))}
      </ol>
    </main>
  );
}
