import { useQuery } from "@tanstack/react-query";

import { api, body, everyPage } from "../client";
import { keys } from "../keys";

export function usePendingVerifications(mine: boolean, everyMs: number) {
  return useQuery({
    queryKey: keys.pendingList(mine),
    queryFn: ({ signal }) => listPendingVerifications(mine, signal),
    refetchInterval: everyMs,
  });
}

function listPendingVerifications(mine: boolean, signal: AbortSignal) {
  return everyPage(async (cursor) =>
    body(
      await api.GET("/api/v1/pending-verifications", {
        params: { query: { mine, limit: 200, ...(cursor && { cursor }) } },
        signal,
      }),
    ),
  );
}
