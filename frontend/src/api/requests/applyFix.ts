import { api } from "../client";
import type { Fix } from "../types";

export function applyFix(fix: Fix, key: string) {
  return api.POST("/api/v1/ai-sessions/{session_id}/suggested-fixes/{fix_id}/apply", {
    params: { path: { session_id: fix.session_id, fix_id: fix.id }, header: { "Idempotency-Key": key } },
  });
}
