import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";

import { api, body } from "../client";
import { keys } from "../keys";
import type { SessionStatus } from "../types";

const PAGE = 50;

export function useSessions(search: string, status: SessionStatus | "", everyMs: number) {
  return useInfiniteQuery({
    queryKey: keys.sessionList(search, status),
    queryFn: ({ pageParam, signal }) => listSessions(search, status, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? null,
    placeholderData: keepPreviousData,
    refetchInterval: everyMs,
  });
}

async function listSessions(search: string, status: SessionStatus | "", cursor: string, signal: AbortSignal) {
  const query = { limit: PAGE, ...(search && { search }), ...(status && { status }), ...(cursor && { cursor }) };
  return body(await api.GET("/api/v1/ai-sessions", { params: { query }, signal }));
}
