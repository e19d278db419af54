import { useSyncExternalStore } from "react";

import { ago } from "./words";

const EVERY_MS = 1_000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

/** Now, moving on once a second while somebody looks. */
function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

export function Age({ at }: { at: string }) {
  const time = ago(at, useNow());
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()}>
      {time}
    </time>
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, EVERY_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}
