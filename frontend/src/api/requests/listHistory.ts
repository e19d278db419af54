import { useQuery } from "@tanstack/react-query";

import { api, body, everyPage } from "../client";
import { keys } from "../keys";

export function useHistory(id: string, enabled = true) {
  return useQuery({
    enabled,
    queryKey: keys.history(id),
    queryFn: ({ signal }) =>
      everyPage(async (cursor) =>
        body(
          await api.GET("/api/v1/ai-sessions/{session_id}/history", {
            params: { path: { session_id: id }, query: { limit: 200, ...(cursor && { cursor }) } },
            signal,
          }),
        ),
      ),
  });
}
