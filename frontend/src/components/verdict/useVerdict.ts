// Turns an action on a fix into the change that it asks for, or into a form that asks for words first.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { applyFix } from "../../api/requests/applyFix";
import { adoptFix } from "../../api/requests/getSession";
import { recordOutcome } from "../../api/requests/recordOutcome";
import { rejectProposal } from "../../api/requests/rejectProposal";
import type { Fix, Outcome } from "../../api/types";
import type { Change } from "../../api/useChange";
import { OUTCOME } from "../words";
import type { Action } from "./actions";
import type { Draft } from "./OutcomeForm";

interface OpenForm extends Draft {
  fix: Fix;
}

export function useVerdict(change: Change) {
  const client = useQueryClient();
  const [form, setForm] = useState<OpenForm | null>(null);
  const adopt = (fix: Fix) => adoptFix(client, fix);

  const run = (fix: Fix, what: string, call: (key: string) => ReturnType<typeof applyFix>) =>
    change.run({ what, sessionId: fix.session_id, call, adopt });

  const record = async (fix: Fix, outcome: Outcome, notes: string | null) => {
    const recorded = await run(fix, OUTCOME[outcome], (key) => recordOutcome(fix, outcome, notes, key));
    if (recorded) setForm(null);
  };

  const act = (fix: Fix, action: Action): void => {
    const proposal = fix.ai_outcome_proposal;
    if (action.does === "apply") void run(fix, "applied", (key) => applyFix(fix, key));
    if (action.does === "reject") void run(fix, "the AI's proposal is rejected", (key) => rejectProposal(fix, key));
    if (action.does === "record" && action.outcome) void record(fix, action.outcome, null);
    if (action.does === "confirm" && proposal) void record(fix, `applied_${proposal.outcome}`, proposal.reason);
    if (action.does === "ask" && action.outcome) setForm({ fix, outcome: action.outcome, notes: before(fix, action.outcome) });
    if (action.does === "edit" && proposal) {
      const choices = fix.allowed_outcomes;
      setForm({ fix, outcome: `applied_${proposal.outcome}`, notes: proposal.reason, choices });
    }
  };
  return { form, act, record, cancel: () => setForm(null) };
}

/** An update begins with what was said before. */
function before(fix: Fix, outcome: Outcome): string {
  if (outcome === "applied_pending" && fix.status === outcome) return fix.pending_reason ?? "";
  if (outcome === "applied_partial" && fix.status === outcome) return fix.partial_notes ?? "";
  return "";
}
