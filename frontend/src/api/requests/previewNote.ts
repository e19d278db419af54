import { type QueryClient, skipToken, useQuery, useQueryClient } from "@tanstack/react-query";

import { api } from "../client";
import { readEvents } from "../frames";
import { keys } from "../keys";
import { Problem } from "../problem";
import type { NoteKind, Preview, ProblemBody } from "../types";

/** A note that is being written: for how long, and what of it is there. */
export interface Writing {
  seconds: number;
  text: string;
}

const NOTHING_YET: Writing = { seconds: 0, text: "" };

export function useNote(sessionId: string, kind: NoteKind) {
  const client = useQueryClient();
  const { data: writing = null } = useQuery<Writing | null>({
    queryKey: keys.writing(sessionId, kind),
    queryFn: skipToken,
  });
  const note = useQuery({
    queryKey: keys.note(sessionId, kind),
    queryFn: ({ signal }) => previewNote(client, sessionId, kind, signal),
    staleTime: Infinity,
  });
  return { ...note, writing };
}

async function previewNote(
  client: QueryClient,
  sessionId: string,
  kind: NoteKind,
  signal: AbortSignal,
): Promise<Preview> {
  const writing = keys.writing(sessionId, kind);
  const say = (change: (held: Writing) => Writing) =>
    client.setQueryData<Writing | null>(writing, (held) => change(held ?? NOTHING_YET));
  let document: Preview | null = null;
  try {
    await readEvents(await streamed(sessionId, kind, signal), ({ name, data }) => {
      if (name === "progress") say((held) => ({ ...held, seconds: (data as Writing).seconds }));
      if (name === "replaced") say((held) => ({ ...held, text: "" }));
      if (name === "text") say((held) => ({ ...held, text: held.text + (data as Writing).text }));
      if (name === "problem") throw new Problem(503, data as ProblemBody);
      if (name === "document") document = data as Preview;
    });
  } finally {
    client.setQueryData<Writing | null>(writing, null);
  }
  if (!document) throw new TypeError("The stream ended before the document came.");
  return document;
}

async function streamed(sessionId: string, kind: NoteKind, signal: AbortSignal) {
  const params = { path: { session_id: sessionId }, query: { stream: true } };
  const options = { params, signal, parseAs: "stream" } as const;
  const { data } =
    kind === "resolution_note"
      ? await api.POST("/api/v1/ai-sessions/{session_id}/resolution-note/preview", options)
      : await api.POST("/api/v1/ai-sessions/{session_id}/escalation-package/preview", options);
  return data as ReadableStream<Uint8Array<ArrayBuffer>>;
}
