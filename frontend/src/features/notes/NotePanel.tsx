// One of the two documents, and how true it still is.
import { Suspense, lazy, useEffect, useRef } from "react";

import { type Writing, useNote } from "../../api/requests/previewNote";
import type { NoteKind, Preview } from "../../api/types";
import { Loading, Outdated } from "../../components/Loading";
import { CopyButtons } from "./CopyButtons";
import { NoteState } from "./NoteState";

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
  const { data: note, writing, error, refetch } = useNote(sessionId, kind);
  const shown = useRef<HTMLDivElement>(null);
  const stale = note !== undefined && note.state_version < version;
  useEffect(() => {
    if (!stale) return undefined;
    const timer = setTimeout(() => void refetch(), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [stale, version, refetch]);

  if (!note && !writing) return <Loading what="the document" error={error} again={() => void refetch()} />;
  return (
    <article className="note" aria-busy={stale || writing !== null}>
      <header className="note-head">
        <NoteState note={note} writing={writing} version={version} onWrite={() => void refetch()} />
        {note && <CopyButtons markdown={note.markdown} html={() => withoutMarks(shown.current)} />}
      </header>
      {note && <Doubts note={note} error={error} />}
      <div ref={shown} className={stale ? "old" : ""}>
        <Suspense fallback={<p className="empty">Loading…</p>}>
          <Markdown {...readable(note, writing)} />
        </Suspense>
      </div>
    </article>
  );
}

/** The new words as they come; until there are any, the old ones. */
function readable(note: Preview | undefined, writing: Writing | null) {
  if (writing?.text) return { text: writing.text, citations: [] };
  return { text: note?.markdown ?? "", citations: note?.citations ?? [] };
}

function Doubts({ note: { warnings }, error }: { note: Preview; error: Error | null }) {
  return (
    <>
      <Outdated error={error} />
      {warnings && warnings.length > 0 && (
        <ul className="notice warnings" aria-label="Warnings">
          {warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
    </>
  );
}

/** The marks of the citations are for reading here; they mean nothing in a ticket. */
function withoutMarks(shown: HTMLElement | null): string {
  const copy = shown?.firstElementChild?.cloneNode(true) as Element | undefined;
  copy?.querySelectorAll(".cite").forEach((mark) => mark.remove());
  return copy?.innerHTML ?? "";
}
