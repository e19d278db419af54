// Server-sent events with a bearer token, which EventSource cannot send: read, resumed after a loss, and never silent.
import { currentIdentity } from "./identity";
import { problemOf } from "./problem";

export interface StreamEvent {
  name: string;
  id: number | null;
  data: unknown;
}

export type Connection = "connecting" | "live" | "lost";

interface Listener {
  onEvent: (event: StreamEvent) => void;
  onConnection: (connection: Connection) => void;
  /** The service will not let us in: trying again is no use. */
  onRefused: (error: unknown) => void;
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
      if (error instanceof Refused) return listener.onRefused(error.cause);
    }
    if (left.aborted) return;
    listener.onConnection("lost");
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random() / 2)));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

class Refused extends Error {}

async function followOnce(path: string, last: number | null, listener: Listener, left: AbortSignal): Promise<void> {
  const silence = new AbortController();
  const response = await fetch(path, {
    headers: {
      Accept: "text/event-stream",
      Authorization: `Bearer ${currentIdentity()?.token ?? ""}`,
      ...(last === null ? {} : { "Last-Event-ID": String(last) }),
    },
    signal: AbortSignal.any([left, silence.signal]),
  });
  if (FINAL.has(response.status)) throw new Refused("refused", { cause: await problemOf(response) });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    listener.onConnection("live");
    const frames = new Frames(listener.onEvent);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      frames.take(part.value);
    }
  } finally {
    clearTimeout(timer);
  }
}

class Frames {
  private rest = "";

  constructor(private readonly onEvent: (event: StreamEvent) => void) {}

  take(text: string): void {
    const blocks = (this.rest + text).split("\n\n");
    this.rest = blocks.pop() ?? "";
    for (const block of blocks) this.read(block);
  }

  private read(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split("\n")) {
      const colon = line.indexOf(": ");
      if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
    }
    const data = fields.get("data");
    if (data === undefined) return;
    const id = fields.get("id");
    this.onEvent({
      name: fields.get("event") ?? "message",
      id: id === undefined ? null : Number(id),
      data: JSON.parse(data) as unknown,
    });
  }
}
