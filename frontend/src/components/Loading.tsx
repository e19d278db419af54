import { Problem } from "../api/problem";
import { inWords } from "./refusals";

interface Props {
  error: Error | null;
  what: string;
  again: () => void;
}

/** What stands where something is not there yet, or could not be had. */
export function Loading({ error, what, again }: Props) {
  if (!error) return <p className="empty">Loading {what}…</p>;
  return (
    <div className="empty" role="alert">
      <p>{inWords(error)}</p>
      {!(error instanceof Problem && !error.passing) && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What stands above a list that is there, but could not be read again. */
export function Outdated({ error }: { error: Error | null }) {
  return (
    error && (
      <p className="notice" role="alert">
        {inWords(error)} This is how it was; it is asked for again by itself.
      </p>
    )
  );
}
