import { useQuery } from "@tanstack/react-query";

import { api, body } from "../client";
import { keys } from "../keys";
import type { NoteKind, Preview } from "../types";

export function useNote(sessionId: string, kind: NoteKind) {
  return useQuery({
    queryKey: keys.note(sessionId, kind),
    queryFn: ({ signal }) => previewNote(sessionId, kind, signal),
    staleTime: Infinity,
  });
}

async function previewNote(sessionId: string, kind: NoteKind, signal: AbortSignal): Promise<Preview> {
  const options = { params: { path: { session_id: sessionId } }, signal };
  // The gateway can stream it, too; it was not asked to.
  const answer =
    kind === "resolution_note"
      ? await api.POST("/api/v1/ai-sessions/{session_id}/resolution-note/preview", options)
      : await api.POST("/api/v1/ai-sessions/{session_id}/escalation-package/preview", options);
  return body(answer as { data?: Preview });
}
