// Server-sent events with a bearer token, which EventSource cannot send: read, resumed after a loss, and never silent.
import { type StreamEvent, readEvents } from "./frames";
import { currentIdentity, expire } from "./identity";

export type Connection = "connecting" | "live" | "lost" | "refused";

interface Listener {
  onEvent: (event: StreamEvent) => void;
  onConnection: (connection: Connection) => void;
}

/** The gateway sends a sign of life every 15 s; after two of them missed, the connection is dead. */
const SILENCE_MS = 35_000;
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 5_000;
const FINAL = new Set([401, 403, 404, 422]);

export function follow(path: string, listener: Listener): () => void {
  const left = new AbortController();
  void keepFollowing(path, listener, left.signal);
  return () => left.abort();
}

async function keepFollowing(path: string, listener: Listener, left: AbortSignal): Promise<void> {
  let last: number | null = null;
  let pause = FIRST_PAUSE_MS;
  const onEvent = (event: StreamEvent) => {
    pause = FIRST_PAUSE_MS;
    last = Math.max(event.id ?? 0, last ?? 0) || last;
    listener.onEvent(event);
  };
  listener.onConnection("connecting");
  while (!left.aborted) {
    try {
      await followOnce(path, last, { ...listener, onEvent }, left);
    } catch (error) {
      if (left.aborted) return;
      if (error instanceof Refused) return listener.onConnection("refused");
    }
    if (left.aborted) return;
    listener.onConnection("lost");
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random() / 2)));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** The service will not let us in: trying again is no use. */
class Refused extends Error {}

async function followOnce(path: string, last: number | null, listener: Listener, left: AbortSignal): Promise<void> {
  const silence = new AbortController();
  const token = currentIdentity()?.token;
  const response = await fetch(path, {
    headers: {
      Accept: "text/event-stream",
      Authorization: `Bearer ${token ?? ""}`,
      ...(last === null ? {} : { "Last-Event-ID": String(last) }),
    },
    signal: AbortSignal.any([left, silence.signal]),
  });
  if (response.status === 401) expire(token);
  if (FINAL.has(response.status)) throw new Refused();
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const onSign = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  try {
    listener.onConnection("live");
    await readEvents(response.body, listener.onEvent, onSign);
  } finally {
    clearTimeout(timer);
  }
}
