// How far the last change has got, said aloud too. "Recorded" is said only when it is.
import { type ReactNode, useEffect } from "react";

import { Problem, isUnreachable } from "../../api/problem";
import type { Change } from "../../api/useChange";
import type { HistoryEntry } from "../../api/types";
import { inWords } from "../refusals";

interface Props {
  change: Change;
  history?: readonly HistoryEntry[];
  /** Whether it offers to try again; else the words are where they can be sent again. */
  retry?: boolean;
}

/** Good news is read, and goes; what is refused or queued stays. */
const GOOD_NEWS_MS = 15_000;

export function ChangeStatus({ change, history, retry = true }: Props) {
  const { progress, reset } = change;
  useEffect(() => {
    if (progress.phase !== "recorded") return undefined;
    const timer = setTimeout(reset, GOOD_NEWS_MS);
    return () => clearTimeout(timer);
  }, [progress, reset]);
  return (
    <div className={`change-status ${progress.phase}`} role="status" aria-live="polite" aria-atomic="true">
      <Words change={change} history={history ?? []} retry={retry} />
    </div>
  );
}

function Words({ change, history, retry }: Required<Props>): ReactNode {
  const { progress } = change;
  switch (progress.phase) {
    case "idle":
      return null;
    case "saving":
      return <span>Saving: {progress.what}…</span>;
    case "queued":
      return progress.parked ? (
        <span>Queued: {progress.what}. It needs an operator to look at it; it is not lost.</span>
      ) : (
        <span>Queued: “{progress.what}” will be recorded when the service is back.</span>
      );
    case "recorded":
      return <span>Recorded: {progress.what}</span>;
    case "refused":
      return (
        <>
          <span>
            {isUnreachable(progress.error) ? "Not known to be recorded" : "Not recorded"}: {progress.what}.{" "}
            {inWords(progress.error, history, progress.at)}
            {isUnreachable(progress.error) && " Trying again is safe: it is recorded once."}
          </span>
          {retry && !(progress.error instanceof Problem && !progress.error.passing) && (
            <button type="button" onClick={progress.again}>
              Try again
            </button>
          )}
          <button type="button" className="quiet" aria-label="Dismiss this message" onClick={change.reset}>
            ✕
          </button>
        </>
      );
  }
}
