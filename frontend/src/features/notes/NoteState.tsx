import type { Writing } from "../../api/requests/previewNote";
import type { Preview } from "../../api/types";
import { Age } from "../../components/Age";

interface Props {
  note: Preview | undefined;
  writing: Writing | null;
  version: number;
  onWrite: () => void;
}

/** Which version of the session the document tells of, who wrote it, and whether a newer one is on its way. */
export function NoteState({ note, writing, version, onWrite }: Props) {
  const stale = note !== undefined && note.state_version < version;
  return (
    <>
      <div className="note-state" role="status">
        {stale && (
          <p>
            <strong className="stale">Older than the session</strong> version {note.state_version} of {version}
          </p>
        )}
        {note && !stale && (
          <p>
            <strong>Up to date</strong> version {note.state_version}, {writer(note)} <Age at={note.generated_at} />
          </p>
        )}
        {(stale || writing) && (
          <p>
            <span className="spinner" aria-hidden="true" /> Being written… <Seconds of={writing} />
          </p>
        )}
      </div>
      {stale && !writing && (
        <button type="button" onClick={onWrite}>
          Write it now
        </button>
      )}
    </>
  );
}

/** For the eyes alone: nobody wants to hear it every second. */
function Seconds({ of: writing }: { of: Writing | null }) {
  return writing && writing.seconds > 0 && <span aria-hidden="true">{writing.seconds} s</span>;
}

function writer(note: Preview): string {
  if (note.generator === "llm") return "written by the AI";
  return note.degraded ? "written from the template, because the AI could not," : "written from the template";
}
