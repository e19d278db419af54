// What can be said of a fix that is still open when its session ends.
import type { Fix, Outcome } from "../../api/types";
import type { Ending } from "../../api/requests/endSession";

export interface Choice {
  /** Null: it goes along as it is, its verification pending. */
  outcome: Outcome | null;
  notes: string;
}

export interface Option {
  outcome: Outcome | null;
  label: string;
}

/** Applied, and something can still be recorded about it: without a verdict, or parked. */
export function openFixes(fixes: readonly Fix[]): Fix[] {
  return fixes.filter((fix) => fix.applied_at && fix.allowed_outcomes.length > 0);
}

const VERDICTS: readonly Option[] = [
  { outcome: "applied_success", label: "Worked" },
  { outcome: "applied_failed", label: "Didn't work" },
  { outcome: "dismissed", label: "Dismiss" },
];
const PARK: readonly Option[] = [
  { outcome: "applied_pending", label: "Goes along, waiting to verify…" },
  { outcome: "applied_partial", label: "Goes along, partly applied…" },
];
const GOES_ALONG: Option = { outcome: null, label: "Goes along: verification pending" };

export function optionsOf(fix: Fix, ending: Ending): Option[] {
  const parked = fix.status !== "proposed";
  const along = ending === "resolve" ? [] : parked ? [GOES_ALONG] : PARK;
  return [...along, ...VERDICTS].filter(({ outcome }) => outcome === null || fix.allowed_outcomes.includes(outcome));
}

export function needsNotes(choice: Choice | undefined): boolean {
  return choice?.outcome === "applied_pending" || choice?.outcome === "applied_partial";
}

export function isComplete(choice: Choice | undefined): boolean {
  return choice !== undefined && (!needsNotes(choice) || choice.notes.trim() !== "");
}
