// The one way to the gateway: typed by its OpenAPI, signed with the token, refusals raised as problems.
import createClient, { type Middleware } from "openapi-fetch";

import { currentIdentity, expire } from "./identity";
import { problemOf } from "./problem";
import type { paths } from "./schema.gen";

const BEARER = "Bearer ";
const PATIENCE_MS = 20_000;
const PATIENCE_FOR_A_NOTE_MS = 65_000;

const signed: Middleware = {
  onRequest({ request }) {
    const identity = currentIdentity();
    if (identity) request.headers.set("Authorization", BEARER + identity.token);
  },
  async onResponse({ request, response }) {
    if (response.status === 401) expire(request.headers.get("Authorization")?.slice(BEARER.length));
    if (!response.ok) throw await problemOf(response);
  },
};

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) => {
    const patience = new URL(request.url).pathname.endsWith("/preview") ? PATIENCE_FOR_A_NOTE_MS : PATIENCE_MS;
    return fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(patience)]) });
  },
});
api.use(signed);

/** The body of an answer that was no refusal. */
export function body<T>(answer: { data?: T }): T {
  return answer.data as T;
}

interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

/** Every page of a list, one after the other. */
export async function everyPage<T>(page: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const next = await page(cursor);
    items.push(...next.items);
    cursor = next.next_cursor ?? undefined;
  } while (cursor);
  return items;
}
