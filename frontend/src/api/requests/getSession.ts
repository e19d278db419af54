import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, body } from "../client";
import { keys } from "../keys";
import type { Fix, SessionWithFixes } from "../types";

export function useSession(id: string) {
  const client = useQueryClient();
  return useQuery({
    queryKey: keys.session(id),
    queryFn: async ({ signal }) => newer(client, await getSession(id, signal)),
  });
}

async function getSession(id: string, signal: AbortSignal): Promise<SessionWithFixes> {
  return body(await api.GET("/api/v1/ai-sessions/{session_id}", { params: { path: { session_id: id } }, signal }));
}

/** What is known after this answer: one that was asked earlier and comes later takes nothing back. */
function newer(client: QueryClient, came: SessionWithFixes): SessionWithFixes {
  const held = client.getQueryData<SessionWithFixes>(keys.session(came.id));
  return held && age(held) > age(came) ? held : came;
}

function age(session: SessionWithFixes): number {
  // An AI proposal raises the sequence alone, a fix in an answer names the state_version alone.
  return session.state_version * 2 ** 26 + session.sequence;
}

export function adoptSession(client: QueryClient, came: SessionWithFixes): void {
  client.setQueryData(keys.session(came.id), newer(client, came));
}

/** Show a fix as an answer or a refusal gave it, without asking again. */
export function adoptFix(client: QueryClient, fix: Fix): void {
  client.setQueryData<SessionWithFixes>(keys.session(fix.session_id), (held) => {
    if (!held || held.state_version > fix.state_version) return held;
    const fixes = held.fixes?.map((each) => (each.id === fix.id ? fix : each)) ?? [fix];
    return { ...held, state_version: fix.state_version, fixes };
  });
}
