// Records each choice, then ends the session; what was recorded stays recorded if a later step is refused.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { decided } from "../../api/decided";
import { refreshSession } from "../../api/refresh";
import { type Ending, endSession } from "../../api/requests/endSession";
import { adoptFix } from "../../api/requests/getSession";
import { recordOutcome } from "../../api/requests/recordOutcome";
import type { Fix, SessionWithFixes } from "../../api/types";
import type { Choice } from "./choices";

interface State {
  busy: boolean;
  words: string;
  error: unknown;
}

const QUEUED = "Queued: it will be done when the service is back.";

export function useEnding(session: SessionWithFixes, ending: Ending, onEnded: () => void) {
  const client = useQueryClient();
  const [state, setState] = useState<State>({ busy: false, words: "", error: null });
  const running = useRef(false);
  const left = useRef(false);
  // Whoever leaves the dialog has not asked for what was not sent yet.
  useEffect(() => {
    left.current = false;
    return () => {
      left.current = true;
    };
  }, []);
  const say = (words: string) => setState({ busy: true, words, error: null });

  const record = async (fix: Fix, { outcome, notes }: Choice) => {
    if (outcome === null) return;
    say(`Saving what came of “${fix.title}”…`);
    const key = crypto.randomUUID();
    const call = () => recordOutcome(fix, outcome, notes.trim() || null, key);
    adoptFix(client, await decided<Fix>(call, () => say(QUEUED)));
  };

  const end = async (open: readonly Fix[], choices: Record<string, Choice>) => {
    if (running.current) return;
    running.current = true;
    try {
      for (const fix of open) {
        const choice = choices[fix.id];
        if (choice) await record(fix, choice);
        if (left.current) return;
      }
      say("Closing the session…");
      const key = crypto.randomUUID();
      await decided(() => endSession(session.id, ending, key), () => say(QUEUED));
      onEnded();
    } catch (error) {
      setState({ busy: false, words: "", error });
    } finally {
      running.current = false;
      refreshSession(client, session.id);
    }
  };
  return { end, state };
}
