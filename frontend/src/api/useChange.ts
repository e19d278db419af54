// One change after the other, each recorded once: what a person asked for, and how far it has got.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";

import { decided } from "./decided";
import { Problem } from "./problem";
import { refreshLists, refreshSession } from "./refresh";
import { adoptFix } from "./requests/getSession";
import type { Operation } from "./types";

export type Progress =
  | { phase: "idle" }
  | { phase: "saving" | "recorded"; what: string }
  | { phase: "queued"; what: string; parked: boolean }
  | { phase: "refused"; what: string; error: unknown; at: number; again: () => void };

interface Asked<T> {
  /** In words, as in "worked". */
  what: string;
  sessionId?: string;
  call: (key: string) => Promise<{ data?: T | Operation; response: Response }>;
  adopt?: (answer: T) => void;
}

export function useChange() {
  const client = useQueryClient();
  const [progress, setProgress] = useState<Progress>({ phase: "idle" });
  const busy = useRef(false);

  const run = useCallback(
    async <T,>(asked: Asked<T>, key: string = crypto.randomUUID()): Promise<boolean> => {
      if (busy.current) return false;
      busy.current = true;
      const { what } = asked;
      setProgress({ phase: "saving", what });
      try {
        const answer = await decided<T>(
          () => asked.call(key),
          (operation) => setProgress({ phase: "queued", what, parked: operation.parked ?? false }),
        );
        asked.adopt?.(answer);
        setProgress({ phase: "recorded", what });
        return true;
      } catch (error) {
        if (error instanceof Problem && error.body.current) adoptFix(client, error.body.current);
        // Only what nobody decided may be asked again under the same key.
        const again = () => void run(asked, error instanceof Problem && !error.passing ? undefined : key);
        setProgress({ phase: "refused", what, error, at: Date.now(), again });
        return false;
      } finally {
        busy.current = false;
        if (asked.sessionId) refreshSession(client, asked.sessionId);
        else refreshLists(client);
      }
    },
    [client],
  );

  const reset = useCallback(() => setProgress({ phase: "idle" }), []);
  return { progress, run, reset, busy: progress.phase === "saving" || progress.phase === "queued" };
}

export type Change = ReturnType<typeof useChange>;
