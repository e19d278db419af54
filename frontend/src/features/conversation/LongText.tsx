import { useState } from "react";

const MOST_LINES = 18;
const MOST_CHARACTERS = 1_800;

/** What people wrote, as they wrote it; a pasted log is folded. */
export function LongText({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  const lines = text.split("\n");
  const long = lines.length > MOST_LINES || text.length > MOST_CHARACTERS;
  const shown = whole || !long ? text : `${lines.slice(0, MOST_LINES).join("\n").slice(0, MOST_CHARACTERS)}…`;
  return (
    <>
      <p className="long-text">{shown}</p>
      {long && (
        <button type="button" className="quiet" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? "Show less" : `Show all ${lines.length} lines`}
        </button>
      )}
    </>
  );
}
