import { api } from "../client";
import type { Fix, Outcome } from "../types";

export function recordOutcome(fix: Fix, outcome: Outcome, notes: string | null, key: string) {
  return api.PATCH("/api/v1/ai-sessions/{session_id}/suggested-fixes/{fix_id}/outcome", {
    params: { path: { session_id: fix.session_id, fix_id: fix.id }, header: { "Idempotency-Key": key } },
    body: notes ? { outcome, notes } : { outcome },
  });
}
