import { api } from "../client";
import type { Visibility } from "../types";

export function confirmFact(sessionId: string, text: string, visibility: Visibility, key: string) {
  return api.POST("/api/v1/ai-sessions/{session_id}/facts", {
    params: { path: { session_id: sessionId }, header: { "Idempotency-Key": key } },
    body: { text, visibility },
  });
}
