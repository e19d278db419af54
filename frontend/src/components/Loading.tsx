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
      <button type="button" onClick={again}>
        Try again
      </button>
    </div>
  );
}
