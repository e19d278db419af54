// What a sentence of a note rests on: a mark behind it, which shows the words of the record on hover and on focus.
import { createContext, useContext, useId } from "react";

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
  return (
    <span className="cite">
      <button type="button" className="quiet" aria-label={`Source ${number}`} aria-describedby={id}>
        {number}
      </button>
      <span role="tooltip" id={id}>
        {citation.evidence.map(({ kind, id: source, quote }) => (
          <span key={`${kind} ${source} ${quote}`}>
            <strong>{kind}</strong> <q>{quote}</q>
          </span>
        ))}
      </span>
    </span>
  );
}
