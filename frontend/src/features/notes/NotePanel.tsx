// One of the two documents, and how true it still is.
import { Suspense, lazy, useEffect, useRef } from "react";

import { useNote } from "../../api/requests/previewNote";
import type { NoteKind, Preview } from "../../api/types";
import { Age } from "../../components/Age";
import { Loading } from "../../components/Loading";
import { CopyButtons } from "./CopyButtons";

const Markdown = lazy(() => import("./Markdown"));

/** note-generator writes by itself after a quiet while; if it has not by then, it is asked. */
const PATIENCE_MS = 6_000;

interface Props {
  sessionId: string;
  kind: NoteKind;
  /** The version of the session that is on the screen. */
  version: number;
}

export function NotePanel({ sessionId, kind, version }: Props) {
  const { data: note, error, refetch, isFetching } = useNote(sessionId, kind);
  const shown = useRef<HTMLDivElement>(null);
  const stale = note !== undefined && note.state_version < version;
  useEffect(() => {
    if (!stale) return undefined;
    const timer = setTimeout(() => void refetch(), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [stale, version, refetch]);

  if (!note) return <Loading what="the document" error={error} again={() => void refetch()} />;
  return (
    <article className="note" aria-busy={stale || isFetching}>
      <div className="note-state" role="status">
        {stale ? (
          <p className="stale">
            <span className="spinner" aria-hidden="true" /> Older than the session (version {note.state_version} of{" "}
            {version}): being written anew…{" "}
            <button type="button" className="quiet" onClick={() => void refetch()}>
              Write it now
            </button>
          </p>
        ) : (
          <p className="muted">
            Up to date · version {note.state_version} · {writer(note)}
          </p>
        )}
        {error && <p className="refused">The newest one could not be had; this is version {note.state_version}.</p>}
      </div>
      {note.warnings && note.warnings.length > 0 && (
        <ul className="warnings" aria-label="Warnings">
          {note.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      <div ref={shown} className={stale ? "old" : ""}>
        <Suspense fallback={<p className="empty">Loading…</p>}>
          <Markdown text={note.markdown} citations={note.citations ?? []} />
        </Suspense>
      </div>
      <p className="muted">
        Written <Age at={note.generated_at} />
      </p>
      <CopyButtons markdown={note.markdown} html={() => withoutMarks(shown.current)} />
    </article>
  );
}

/** The marks of the citations are for reading here; they mean nothing in a ticket. */
function withoutMarks(shown: HTMLElement | null): string {
  const copy = shown?.firstElementChild?.cloneNode(true) as Element | undefined;
  copy?.querySelectorAll(".cite").forEach((mark) => mark.remove());
  return copy?.innerHTML ?? "";
}

function writer(note: Preview): string {
  if (note.generator === "llm") return "written by the AI";
  return note.degraded ? "written from the template, because the AI could not" : "written from the template";
}
