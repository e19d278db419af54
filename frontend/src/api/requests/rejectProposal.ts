import { api } from "../client";
import type { Fix } from "../types";

export function rejectProposal(fix: Fix, key: string) {
  return api.DELETE("/api/v1/ai-sessions/{session_id}/suggested-fixes/{fix_id}/ai-outcome-proposal", {
    params: { path: { session_id: fix.session_id, fix_id: fix.id }, header: { "Idempotency-Key": key } },
  });
}
