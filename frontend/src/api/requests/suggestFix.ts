import { api } from "../client";
import type { NewFix } from "../types";

export function suggestFix(sessionId: string, fix: NewFix, key: string) {
  return api.POST("/api/v1/ai-sessions/{session_id}/suggested-fixes", {
    params: { path: { session_id: sessionId }, header: { "Idempotency-Key": key } },
    body: fix,
  });
}
