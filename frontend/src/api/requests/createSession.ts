import { api } from "../client";
import type { NewSession } from "../types";

export function createSession(session: NewSession, key: string) {
  return api.POST("/api/v1/ai-sessions", { params: { header: { "Idempotency-Key": key } }, body: session });
}
