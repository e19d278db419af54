// Every fix that was suggested, and what became of each.
import type { Fix, HistoryEntry } from "../../api/types";
import { useChange } from "../../api/useChange";
import { Age } from "../../components/Age";
import { Badge } from "../../components/Badge";
import { overtaken } from "../../components/refusals";
import { STATUS } from "../../components/words";
import { ActionBar } from "../../components/verdict/ActionBar";
import { allowed, parkedActions } from "../../components/verdict/actions";
import { ChangeStatus } from "../../components/verdict/ChangeStatus";
import { OutcomeForm } from "../../components/verdict/OutcomeForm";
import { useVerdict } from "../../components/verdict/useVerdict";

interface Props {
  fixes: readonly Fix[];
  history: readonly HistoryEntry[];
  /** The fix that the banner asks about. */
  inBanner: string | undefined;
  mayAct: boolean;
}

export function Fixes({ fixes, history, inBanner, mayAct }: Props) {
  if (fixes.length === 0) return <p className="empty">No fix was suggested yet.</p>;
  return (
    <ol className="fixes" reversed>
      {fixes.toReversed().map((fix) => (
        <FixCard
          key={fix.id}
          fix={fix}
          entries={history.filter((entry) => entry.fix_id === fix.id)}
          mayAct={mayAct && fix.id !== inBanner && fix.status !== "proposed"}
        />
      ))}
    </ol>
  );
}

function FixCard({ fix, entries, mayAct }: { fix: Fix; entries: readonly HistoryEntry[]; mayAct: boolean }) {
  const change = useChange();
  const { form, act, record, cancel } = useVerdict(change);
  const actions = mayAct && fix.allowed_outcomes.length > 0 ? allowed(parkedActions(fix), fix) : [];
  return (
    <li className={`fix ${fix.status}`}>
      <h2>{fix.title}</h2>
      <p className="muted">
        {fix.superseded_at ? <span className="badge">replaced</span> : <Badge status={fix.status} />}{" "}
        {fix.confidence_pct} % confident
      </p>
      <p className="long-text">{fix.description}</p>
      <ol className="timeline">
        {entries.map((entry) => (
          <li key={entry.sequence}>
            <span>{sentence(entry)}</span>{" "}
            <span className="muted">
              <Age at={entry.at} /> by {entry.actor.name ?? entry.actor.role}
            </span>
            {entry.notes && <q>{entry.notes}</q>}
          </li>
        ))}
      </ol>
      {form ? (
        <OutcomeForm
          draft={form}
          busy={change.busy}
          overtaken={overtaken(fix, form.outcome, entries)}
          onSubmit={(outcome, notes) => void record(fix, outcome, notes || null)}
          onCancel={cancel}
        />
      ) : (
        actions.length > 0 && (
          <ActionBar actions={actions} about={fix.title} busy={change.busy} onAction={(action) => act(fix, action)} />
        )
      )}
      <ChangeStatus change={change} history={entries} />
    </li>
  );
}

const SENTENCE: Record<string, string> = {
  "fix.suggested": "suggested",
  "fix.applied": "applied",
  "fix.outcome_proposed": "the AI proposed an outcome",
  "fix.outcome_proposal_cleared": "the AI's proposal was rejected",
};

function sentence(entry: HistoryEntry): string {
  return SENTENCE[entry.kind] ?? STATUS[entry.to ?? ""] ?? entry.kind;
}
