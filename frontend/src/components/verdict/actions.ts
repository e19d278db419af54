// What a person can do about a fix where it stands. What is allowed is the service's to say: `allowed_outcomes`.
import type { Fix, Outcome } from "../../api/types";

export interface Action {
  id: string;
  label: string;
  /** The letter after `v`. */
  key?: string;
  does: "apply" | "record" | "ask" | "confirm" | "edit" | "reject";
  outcome?: Outcome;
  weight: "main" | "other" | "more";
}

export const APPLY: Action = { id: "apply", label: "Apply", key: "a", does: "apply", weight: "main" };
export const CONFIRM: Action = { id: "confirm", label: "Confirm", key: "c", does: "confirm", weight: "main" };
export const EDIT: Action = { id: "edit", label: "Edit…", key: "e", does: "edit", weight: "other" };
export const REJECT: Action = { id: "reject", label: "Reject", key: "r", does: "reject", weight: "other" };

export const worked = (label = "Worked"): Action => record("worked", label, "applied_success", "w", "main");
export const failed = (): Action => record("failed", "Didn't work", "applied_failed", "d", "other");
export const dismiss = (weight: Action["weight"]): Action => record("dismiss", "Dismiss", "dismissed", "x", weight);
export const partly = (label = "Partly…"): Action => ask("partly", label, "applied_partial", "p", "other");
export const later = (label: string, weight: Action["weight"]): Action => ask("later", label, "applied_pending", "t", weight);

const WITH_WORDS: readonly Action[] = [
  { id: "worked-because", label: "Worked, with a note…", does: "ask", outcome: "applied_success", weight: "more" },
  { id: "failed-because", label: "Didn't work, because…", does: "ask", outcome: "applied_failed", weight: "more" },
  { id: "dismiss-because", label: "Dismiss, because…", does: "ask", outcome: "dismissed", weight: "more" },
];

/** The actions of a parked fix, wherever it is shown. */
export function parkedActions(fix: Fix): Action[] {
  return fix.status === "applied_pending"
    ? [worked(), failed(), later("Update reason…", "other"), dismiss("other")]
    : [worked("Worked now"), failed(), partly("Update notes…"), later("Waiting to verify…", "other"), dismiss("other")];
}

/** Those that the service allows; a verdict can always be given with words, too. */
export function allowed(actions: readonly Action[], fix: Fix): Action[] {
  const may = ({ outcome }: Action) => outcome === undefined || fix.allowed_outcomes.includes(outcome);
  const spoken = WITH_WORDS.filter(({ outcome }) => actions.some((each) => each.outcome === outcome));
  return [...actions, ...spoken].filter(may);
}

function record(id: string, label: string, outcome: Outcome, key: string, weight: Action["weight"]): Action {
  return { id, label, key, does: "record", outcome, weight };
}

function ask(id: string, label: string, outcome: Outcome, key: string, weight: Action["weight"]): Action {
  return { id, label, key, does: "ask", outcome, weight };
}
