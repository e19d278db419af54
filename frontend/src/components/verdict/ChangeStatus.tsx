// How far the last change has got, said aloud too. "Recorded" is said only when it is.
import type { ReactNode } from "react";

import type { Change } from "../../api/useChange";
import { Problem } from "../../api/problem";
import type { HistoryEntry } from "../../api/types";
import { inWords } from "../refusals";

interface Props {
  change: Change;
  history?: readonly HistoryEntry[];
  /** Whether it offers to try again; else the words are where they can be sent again. */
  retry?: boolean;
}

export function ChangeStatus({ change, history, retry = true }: Props) {
  return (
    <div className={`change-status ${change.progress.phase}`} role="status" aria-live="polite" aria-atomic="true">
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
            Not recorded: {progress.what}. {inWords(progress.error, history, progress.at)}
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
