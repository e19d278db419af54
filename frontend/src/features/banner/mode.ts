// Which banner a session shows: product.md section 7, row by row.
import type { ChatMessage, Fix } from "../../api/types";
import {
  APPLY,
  type Action,
  CONFIRM,
  EDIT,
  REJECT,
  allowed,
  dismiss,
  failed,
  later,
  parkedActions,
  partly,
  worked,
} from "../../components/verdict/actions";

export type Mode = "proposed" | "verifying" | "nudge" | "pending" | "partial" | "ai_confirming" | "none";

const NUDGE_AFTER = 3;

type Said = Pick<ChatMessage, "role" | "created_at">;

/** The newest fix about which anything can still be recorded; the service lists fixes oldest first. */
export function activeFix(fixes: readonly Fix[]): Fix | undefined {
  return fixes.findLast((fix) => fix.allowed_outcomes.length > 0);
}

export function modeOf(fix: Fix | undefined, messages: readonly Said[]): Mode {
  if (!fix || fix.allowed_outcomes.length === 0) return "none";
  if (fix.ai_outcome_proposal) return "ai_confirming";
  if (fix.status === "applied_pending") return "pending";
  if (fix.status === "applied_partial") return "partial";
  if (fix.status !== "proposed") return "none";
  if (!fix.applied_at) return "proposed";
  return spokenSince(fix.applied_at, messages) >= NUDGE_AFTER ? "nudge" : "verifying";
}

export function actionsOf(mode: Mode, fix: Fix): Action[] {
  return allowed(ROWS[mode](fix), fix);
}

const ROWS: Record<Mode, (fix: Fix) => Action[]> = {
  proposed: () => [APPLY, dismiss("other")],
  verifying: () => [worked(), failed(), partly(), later("Waiting to verify…", "more"), dismiss("more")],
  nudge: () => [worked(), failed(), partly(), later("Still checking…", "other"), dismiss("more")],
  pending: parkedActions,
  partial: parkedActions,
  ai_confirming: () => [CONFIRM, EDIT, REJECT],
  none: () => [],
};

function spokenSince(appliedAt: string, messages: readonly Said[]): number {
  const since = Date.parse(appliedAt);
  return messages.filter((said) => said.role === "engineer" && Date.parse(said.created_at) > since).length;
}
