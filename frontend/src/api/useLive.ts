// Keeps what is remembered of a session in step with its event stream.
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import type { StreamEvent } from "./frames";
import { useIdentity } from "./identity";
import { keys } from "./keys";
import { refreshLists } from "./refresh";
import { adoptSession } from "./requests/getSession";
import { type Connection, follow } from "./stream";
import type { NoteKind, Preview, SessionWithFixes } from "./types";

interface State {
  session: SessionWithFixes;
  notes: Partial<Record<NoteKind, number>>;
}

export function useLive(sessionId: string): Connection {
  const client = useQueryClient();
  const token = useIdentity().identity?.token;
  const [connection, setConnection] = useState<Connection>("connecting");
  useEffect(
    () =>
      follow(`/api/v1/ai-sessions/${sessionId}/events`, {
        onEvent: (event) => adopt(client, sessionId, event),
        onConnection: setConnection,
      }),
    [client, sessionId, token],
  );
  return connection;
}

function adopt(client: QueryClient, sessionId: string, event: StreamEvent): void {
  if (event.name === "state") {
    adoptState(client, event.data as State);
  } else if (event.name === "note.regenerated") {
    const { data } = event.data as { data: { kind: NoteKind; state_version: number } };
    readNote(client, sessionId, data.kind, data.state_version);
  } else {
    adoptChange(client, sessionId, event.name);
  }
}

/** It comes first, and after a loss. What was read before it may lack what happened in between. */
function adoptState(client: QueryClient, { session, notes }: State): void {
  adoptSession(client, session);
  for (const key of [keys.messages(session.id), keys.facts(session.id), keys.history(session.id)]) {
    void client.invalidateQueries({ queryKey: key });
  }
  refreshLists(client);
  for (const [kind, version] of Object.entries(notes)) readNote(client, session.id, kind as NoteKind, version);
}

function adoptChange(client: QueryClient, id: string, name: string): void {
  void client.invalidateQueries({ queryKey: keys.session(id), exact: true });
  void client.invalidateQueries({ queryKey: keys.history(id) });
  if (name === "session.message_added") void client.invalidateQueries({ queryKey: keys.messages(id) });
  if (name === "session.fact_confirmed") void client.invalidateQueries({ queryKey: keys.facts(id) });
  if (name === "fix.outcome_recorded") void client.invalidateQueries({ queryKey: keys.pending });
}

function readNote(client: QueryClient, id: string, kind: NoteKind, version: number): void {
  const held = client.getQueryData<Preview>(keys.note(id, kind));
  if (held && held.state_version >= version) return;
  // The first one is on its way: let it come.
  void client.invalidateQueries({ queryKey: keys.note(id, kind) }, { cancelRefetch: held !== undefined });
}
