// The one question of a session: what came of the fix? Anchored above the message box.
import { useRef } from "react";

import type { ChatMessage, Fix, HistoryEntry } from "../../api/types";
import type { Change } from "../../api/useChange";
import { useNow } from "../../components/Age";
import { whoWasFirst } from "../../components/refusals";
import { useShortcuts } from "../../components/shortcuts";
import { ActionBar } from "../../components/verdict/ActionBar";
import type { Action } from "../../components/verdict/actions";
import { ChangeStatus } from "../../components/verdict/ChangeStatus";
import { OutcomeForm } from "../../components/verdict/OutcomeForm";
import { useVerdict } from "../../components/verdict/useVerdict";
import { BannerText } from "./BannerText";
import { actionsOf, activeFix, modeOf } from "./mode";

interface Props {
  fixes: readonly Fix[];
  messages: readonly ChatMessage[];
  history: readonly HistoryEntry[];
  change: Change;
  mayAct: boolean;
}

export function Banner({ fixes, messages, history, change, mayAct }: Props) {
  const dock = useRef<HTMLElement>(null);
  const now = useNow();
  const { form, act, record, cancel } = useVerdict(change);
  const asked = form && fixes.find((each) => each.id === form.fix.id);
  const fix = asked ?? activeFix(fixes);
  const mode = modeOf(fix, messages);
  const actions = fix && mayAct ? actionsOf(mode, fix) : [];
  const overtaken = form && asked && !asked.allowed_outcomes.includes(form.outcome);

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
  useShortcuts(
    Object.fromEntries(
      actions.filter(({ key }) => key && !form && !change.busy).map((each) => [`v ${each.key}`, () => choose(each)]),
    ),
  );
  return (
    <section ref={dock} tabIndex={-1} className="banner-dock" aria-label="Outcome of the fix">
      {fix && (mode !== "none" || form) && (
        <div className={`banner ${mode}`} data-mode={mode}>
          {mode !== "none" && <BannerText mode={mode} fix={fix} messages={messages} history={history} />}
          {form ? (
            <OutcomeForm
              key={`${form.fix.id} ${form.outcome}`}
              draft={form}
              busy={change.busy}
              overtaken={overtaken ? (whoWasFirst(fix.id, history, now) ?? "It was decided in the meantime.") : null}
              onSubmit={(outcome, notes) => {
                dock.current?.focus();
                void record(form.fix, outcome, notes || null);
              }}
              onCancel={close}
            />
          ) : (
            actions.length > 0 && (
              <ActionBar actions={actions} about={fix.title} busy={change.busy} onAction={choose} hints />
            )
          )}
        </div>
      )}
      <ChangeStatus change={change} history={history} />
    </section>
  );
}
