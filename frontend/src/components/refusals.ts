// Why something was refused, in words that say what to do.
import { Problem, isUnreachable } from "../api/problem";
import type { Fix, HistoryEntry, Outcome } from "../api/types";
import { STATUS, ago } from "./words";

const WORDS: Record<string, string> = {
  notes_required: "Say what is awaited or what was done: the reason is required.",
  fix_superseded: "A newer suggestion has replaced this fix.",
  not_proposed: "Somebody has recorded an outcome of this fix already.",
  session_closed: "This session is closed: nothing more can be changed in it.",
  version_conflict: "The session has changed in the meantime.",
  unauthenticated: "You are signed in no longer.",
  forbidden: "Your role may read, and change nothing.",
  not_found: "It does not exist, or is not your account's.",
  rate_limited: "Your account asks too fast. Wait a moment.",
  unavailable: "The service cannot take this right now. Nothing was recorded.",
};

export function inWords(error: unknown, history: readonly HistoryEntry[] = [], now = Date.now()): string {
  if (isUnreachable(error)) return "The service cannot be reached.";
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : "Something went wrong.";
  if (error.code === "outcome_final" || error.code === "not_proposed") {
    const said = whoWasFirst(error.body.current?.id, history, now);
    if (said) return said;
  }
  return WORDS[error.code] ?? error.message;
}

/** Who was faster than the one who still writes; null where the outcome may still be recorded. */
export function overtaken(fix: Fix, outcome: Outcome, history: readonly HistoryEntry[]): string | null {
  if (fix.allowed_outcomes.includes(outcome)) return null;
  return whoWasFirst(fix.id, history, Date.now()) ?? "It was decided in the meantime.";
}

/** "Sam recorded 'worked' 3 s ago." */
function whoWasFirst(
  fixId: string | undefined,
  history: readonly HistoryEntry[],
  now: number,
): string | null {
  const last = history.findLast((entry) => entry.fix_id === fixId && entry.kind === "fix.outcome_recorded");
  if (!fixId || !last) return null;
  return `${last.actor.name ?? "Somebody"} recorded “${STATUS[last.to ?? ""]}” ${ago(last.at, now)}.`;
}
