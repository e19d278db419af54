// The one question of a session: what came of the fix? Anchored above the message box.
import { useRef } from "react";

import type { ChatMessage, Fix, HistoryEntry, Outcome } from "../../api/types";
import type { Change } from "../../api/useChange";
import { whoWasFirst } from "../../components/refusals";
import { useShortcuts } from "../../components/shortcuts";
import { ActionBar } from "../../components/verdict/ActionBar";
import type { Action } from "../../components/verdict/actions";
import { ChangeStatus } from "../../components/verdict/ChangeStatus";
import { OutcomeForm } from "../../components/verdict/OutcomeForm";
import { useVerdict } from "../../components/verdict/useVerdict";
import { BannerText } from "./BannerText";
import { type Mode, actionsOf, activeFix, modeOf } from "./mode";

interface Props {
  fixes: readonly Fix[];
  messages: readonly ChatMessage[];
  history: readonly HistoryEntry[];
  change: Change;
  mayAct: boolean;
}

export function Banner({ fixes, messages, history, change, mayAct }: Props) {
  const dock = useRef<HTMLElement>(null);
  const { form, act, record, cancel } = useVerdict(change);
  // While somebody writes about a fix, the banner stays with it.
  const fix = fixes.find((each) => each.id === form?.fix.id) ?? activeFix(fixes);
  const mode = modeOf(fix, messages);
  const actions = mayAct ? offered(mode, fix) : [];

  // The button that was pressed goes away with its mode; the focus stays at the banner instead of getting lost.
  const choose = (action: Action) => {
    if (!fix) return;
    if (action.does !== "ask" && action.does !== "edit") dock.current?.focus();
    act(fix, action);
  };
  const close = () => {
    cancel();
    dock.current?.focus();
  };
  const ready = form || change.busy ? [] : actions.filter(({ key }) => key);
  useShortcuts(Object.fromEntries(ready.map((each) => [`v ${each.key ?? ""}`, () => choose(each)])));
  return (
    <section ref={dock} tabIndex={-1} className="banner-dock" aria-label="Outcome of the fix">
      {fix && (mode !== "none" || form) && (
        <div className={`banner ${mode}`} data-mode={mode}>
          {mode !== "none" && <BannerText mode={mode} fix={fix} messages={messages} history={history} />}
          {form && (
            <OutcomeForm
              key={`${form.fix.id} ${form.outcome}`}
              draft={form}
              busy={change.busy}
              overtaken={overtaken(fix, form.outcome, history)}
              onSubmit={(outcome, notes) => {
                dock.current?.focus();
                void record(form.fix, outcome, notes || null);
              }}
              onCancel={close}
            />
          )}
          {!form && actions.length > 0 && (
            <ActionBar actions={actions} about={fix.title} busy={change.busy} onAction={choose} hints />
          )}
        </div>
      )}
      <ChangeStatus change={change} history={history} />
    </section>
  );
}

function offered(mode: Mode, fix: Fix | undefined): Action[] {
  return fix ? actionsOf(mode, fix) : [];
}

/** Who was faster than the one who still writes. */
function overtaken(fix: Fix, outcome: Outcome, history: readonly HistoryEntry[]): string | null {
  if (fix.allowed_outcomes.includes(outcome)) return null;
  return whoWasFirst(fix.id, history, Date.now()) ?? "It was decided in the meantime.";
}
