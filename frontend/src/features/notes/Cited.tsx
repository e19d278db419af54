// What a sentence of a note rests on: a mark behind it, which shows the words of the record on hover and on focus.
import { createContext, useContext, useEffect, useId, useState } from "react";

import type { Citation } from "../../api/types";

export const Citations = createContext<readonly Citation[]>([]);

export function Cited({ raw }: { raw: string }) {
  const citations = useContext(Citations);
  return citations.map((citation, place) =>
    raw.includes(citation.sentence) ? <Mark key={place} citation={citation} number={place + 1} /> : null,
  );
}

function Mark({ citation, number }: { citation: Citation; number: number }) {
  const id = useId();
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (!open) return undefined;
    const close = ({ key }: KeyboardEvent) => key === "Escape" && setOpen(false);
    document.addEventListener("keydown", close);
    return () => document.removeEventListener("keydown", close);
  }, [open]);
  const [show, hide] = [() => setOpen(true), () => setOpen(false)];
  return (
    <span className="cite" onPointerEnter={show} onPointerLeave={hide} onFocus={show} onBlur={hide}>
      <button type="button" className="quiet" aria-label={`Source ${number}`} aria-describedby={id} onClick={show}>
        {number}
      </button>
      <span role="tooltip" id={id} hidden={!open}>
        {citation.evidence.map(({ kind, id: source, quote }) => (
          <span key={`${kind} ${source} ${quote}`}>
            <strong>{kind}</strong> <q>{quote}</q>
          </span>
        ))}
      </span>
    </span>
  );
}
