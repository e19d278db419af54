import { api } from "../client";
import type { MessageRole } from "../types";

export function addMessage(sessionId: string, role: MessageRole, content: string, key: string) {
  return api.POST("/api/v1/ai-sessions/{session_id}/messages", {
    params: { path: { session_id: sessionId }, header: { "Idempotency-Key": key } },
    body: { role, content },
  });
}
