// The one question of a session: what came of the fix? Anchored above the message box.
import { useEffect, useRef } from "react";

import type { ChatMessage, Fix, HistoryEntry } from "../../api/types";
import type { Change } from "../../api/useChange";
import { overtaken } from "../../components/refusals";
import { useShortcuts } from "../../components/shortcuts";
import { ActionBar } from "../../components/verdict/ActionBar";
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
  const verdict = useVerdict(change);
  const { form } = verdict;
  // While somebody writes about a fix, the banner stays with it.
  const fix = fixes.find((each) => each.id === form?.fix.id) ?? activeFix(fixes);
  const mode = modeOf(fix, messages);
  const { dock, keepFocus } = useKeptFocus(`${mode} ${form?.outcome ?? ""}`);
  const shown = fix !== undefined && (mode !== "none" || form !== null);
  return (
    <section ref={dock} {...keepFocus} tabIndex={-1} className="banner-dock" aria-label="Outcome of the fix">
      <div className={shown ? `banner ${mode}` : ""} data-mode={shown ? mode : undefined}>
        <div aria-live="polite">
          {fix && mode !== "none" && <BannerText mode={mode} fix={fix} messages={messages} history={history} />}
        </div>
        {fix && mayAct && <Ways fix={fix} mode={mode} history={history} change={change} verdict={verdict} />}
      </div>
      <ChangeStatus change={change} history={history} />
    </section>
  );
}

interface WaysProps extends Pick<Props, "history" | "change"> {
  fix: Fix;
  mode: Mode;
  verdict: ReturnType<typeof useVerdict>;
}

/** The buttons of the mode, or the form that one of them has opened. */
function Ways({ fix, mode, history, change, verdict: { form, act, record, cancel } }: WaysProps) {
  const actions = actionsOf(mode, fix);
  const ready = form || change.busy ? [] : actions.filter(({ key }) => key);
  useShortcuts(Object.fromEntries(ready.map((each) => [`v ${each.key ?? ""}`, () => act(fix, each)])));
  if (form) {
    return (
      <OutcomeForm
        key={`${form.fix.id} ${form.outcome}`}
        draft={form}
        busy={change.busy}
        overtaken={overtaken(fix, form.outcome, history)}
        onSubmit={(outcome, notes) => void record(form.fix, outcome, notes || null)}
        onCancel={cancel}
      />
    );
  }
  if (actions.length === 0) return null;
  return (
    <ActionBar actions={actions} about={fix.title} busy={change.busy} onAction={(action) => act(fix, action)} hints />
  );
}

/** What had the focus goes away with its mode, or its form; the focus then stays at the banner, and is not lost. */
function useKeptFocus(state: string) {
  const dock = useRef<HTMLElement>(null);
  const inside = useRef(false);
  useEffect(() => {
    if (inside.current && document.activeElement === document.body) dock.current?.focus({ preventScroll: true });
  }, [state]);
  const keepFocus = {
    onFocus: () => {
      inside.current = true;
    },
    onBlur: ({ relatedTarget }: { relatedTarget: Element | null }) => {
      if (relatedTarget) inside.current = dock.current?.contains(relatedTarget) ?? false;
    },
  };
  return { dock, keepFocus };
}
