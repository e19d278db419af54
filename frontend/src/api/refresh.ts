// What is read anew after a change. The notes are not: note-generator says when there is a newer one.
import type { QueryClient } from "@tanstack/react-query";

import { keys } from "./keys";

export function refreshSession(client: QueryClient, id: string): void {
  void client.invalidateQueries({ queryKey: keys.session(id) });
  refreshLists(client);
}

export function refreshLists(client: QueryClient): void {
  void client.invalidateQueries({ queryKey: keys.sessions });
  void client.invalidateQueries({ queryKey: keys.pending });
}
