import { api } from "../client";

export type Ending = "resolve" | "escalate";

export function endSession(sessionId: string, ending: Ending, key: string) {
  const params = { path: { session_id: sessionId }, header: { "Idempotency-Key": key } };
  return ending === "resolve"
    ? api.POST("/api/v1/ai-sessions/{session_id}/resolve", { params })
    : api.POST("/api/v1/ai-sessions/{session_id}/escalate", { params });
}
