import { useQuery } from "@tanstack/react-query";

import { api, body, everyPage } from "../client";
import { keys } from "../keys";

export function useFacts(id: string) {
  return useQuery({
    queryKey: keys.facts(id),
    queryFn: ({ signal }) =>
      everyPage(async (cursor) =>
        body(
          await api.GET("/api/v1/ai-sessions/{session_id}/facts", {
            params: { path: { session_id: id }, query: { limit: 200, ...(cursor && { cursor }) } },
            signal,
          }),
        ),
      ),
  });
}
