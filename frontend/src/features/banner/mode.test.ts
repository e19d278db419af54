// product.md section 7, row by row; what is not in the table shows no banner.
import { describe, expect, test } from "vitest";

import type { Fix, Outcome, Proposal } from "../../api/types";
import { type Mode, actionsOf, activeFix, modeOf } from "./mode";

const ALL: Outcome[] = ["applied_pending", "applied_partial", "applied_success", "applied_failed", "dismissed"];
const NOON = "2026-11-02T12:00:00Z";

function fix(changed: Partial<Fix> = {}): Fix {
  return {
    id: "f1",
    session_id: "s1",
    title: "Update the firmware",
    description: "Install 3.2.1",
    confidence_pct: 80,
    status: "proposed",
    created_at: "2026-11-02T11:00:00Z",
    updated_at: "2026-11-02T11:00:00Z",
    state_version: 3,
    allowed_outcomes: ALL,
    ...changed,
  };
}

const applied = fix({ applied_at: NOON });
const pending = fix({ status: "applied_pending", applied_at: NOON, pending_reason: "AD replication" });
const partial = fix({ status: "applied_partial", applied_at: NOON, partial_notes: "3 of 5" });
const proposal: Proposal = { outcome: "success", reason: "Client: it is back", evidence: [] };

function said(count: number, role: "engineer" | "client" | "assistant" = "engineer", at = "2026-11-02T12:01:00Z") {
  return Array.from({ length: count }, () => ({ role, created_at: at }));
}

function shown(mode: Mode, of: Fix): string[] {
  return actionsOf(mode, of)
    .filter((action) => action.weight !== "more")
    .map((action) => action.label);
}

function more(mode: Mode, of: Fix): string[] {
  return actionsOf(mode, of)
    .filter((action) => action.weight === "more")
    .map((action) => action.label);
}

describe("the mode of the banner", () => {
  test.each<[string, Fix | undefined, ReturnType<typeof said>, Mode]>([
    ["proposed, not applied", fix(), [], "proposed"],
    ["applied, without a verdict", applied, [], "verifying"],
    ["two engineer messages since applying", applied, said(2), "verifying"],
    ["three engineer messages since applying", applied, said(3), "nudge"],
    ["three messages before applying", applied, said(3, "engineer", "2026-11-02T11:59:00Z"), "verifying"],
    ["three messages of others", applied, [...said(3, "client"), ...said(3, "assistant")], "verifying"],
    ["pending", pending, said(9), "pending"],
    ["partial", partial, said(9), "partial"],
    ["a proposal wins over proposed", fix({ ai_outcome_proposal: proposal }), [], "ai_confirming"],
    ["a proposal wins over nudge", { ...applied, ai_outcome_proposal: proposal }, said(3), "ai_confirming"],
    ["a proposal wins over pending", { ...pending, ai_outcome_proposal: proposal }, [], "ai_confirming"],
    ["a proposal wins over partial", { ...partial, ai_outcome_proposal: proposal }, [], "ai_confirming"],
    ["no fix", undefined, said(9), "none"],
    ["worked", fix({ status: "applied_success", allowed_outcomes: [] }), [], "none"],
    ["didn't work", fix({ status: "applied_failed", allowed_outcomes: [] }), [], "none"],
    ["dismissed", fix({ status: "dismissed", allowed_outcomes: [] }), [], "none"],
    ["superseded", fix({ superseded_at: NOON, allowed_outcomes: [] }), [], "none"],
    ["of a closed session", { ...applied, allowed_outcomes: [] }, said(3), "none"],
    ["a proposal on what is closed", { ...pending, allowed_outcomes: [], ai_outcome_proposal: proposal }, [], "none"],
  ])("%s", (_, of, messages, mode) => {
    expect(modeOf(of, messages)).toBe(mode);
  });
});

describe("the actions of a mode", () => {
  test.each<[Mode, Fix, string[]]>([
    ["proposed", fix(), ["Apply", "Dismiss"]],
    ["verifying", applied, ["Worked", "Didn't work", "Partly…"]],
    ["nudge", applied, ["Worked", "Didn't work", "Partly…", "Still checking…"]],
    ["pending", pending, ["Worked", "Didn't work", "Update reason…", "Dismiss"]],
    ["partial", partial, ["Worked now", "Didn't work", "Update notes…", "Waiting to verify…", "Dismiss"]],
    ["ai_confirming", { ...applied, ai_outcome_proposal: proposal }, ["Confirm", "Edit…", "Reject"]],
    ["none", fix({ allowed_outcomes: [] }), []],
  ])("%s", (mode, of, labels) => {
    expect(shown(mode, of)).toEqual(labels);
  });

  test("verifying offers the rest under more", () => {
    expect(more("verifying", applied)).toEqual(expect.arrayContaining(["Waiting to verify…", "Dismiss"]));
  });

  test("a verdict may be given with words wherever it may be given", () => {
    expect(more("pending", pending)).toEqual(["Worked, with a note…", "Didn't work, because…", "Dismiss, because…"]);
    expect(more("ai_confirming", applied)).toEqual([]);
  });

  test("still checking records pending, and asks for a reason", () => {
    const action = actionsOf("nudge", applied).find(({ label }) => label === "Still checking…");
    expect(action).toMatchObject({ does: "ask", outcome: "applied_pending" });
  });

  test.each(ALL)("what the service does not allow is not offered: %s", (outcome) => {
    const rest = ALL.filter((each) => each !== outcome);
    for (const of of [applied, pending, partial].map((each) => ({ ...each, allowed_outcomes: rest }))) {
      const offered = actionsOf(modeOf(of, said(3)), of).map((action) => action.outcome);
      expect(offered).not.toContain(outcome);
    }
  });
});

describe("the fix that the banner is about", () => {
  test("the newest about which something can be recorded", () => {
    const older = { ...pending, id: "older" };
    expect(activeFix([older, fix({ id: "newer" })])?.id).toBe("newer");
  });

  test("a parked one comes back when the newer one is final", () => {
    const older = { ...pending, id: "older" };
    expect(activeFix([older, fix({ id: "newer", status: "dismissed", allowed_outcomes: [] })])?.id).toBe("older");
  });

  test("none, where all are final", () => {
    expect(activeFix([fix({ status: "applied_success", allowed_outcomes: [] })])).toBeUndefined();
  });
});
