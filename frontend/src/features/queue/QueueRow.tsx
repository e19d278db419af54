import { Link } from "wouter";

import { useHistory } from "../../api/requests/listHistory";
import type { PendingVerification } from "../../api/types";
import { useChange } from "../../api/useChange";
import { Age } from "../../components/Age";
import { Badge } from "../../components/Badge";
import { overtaken } from "../../components/refusals";
import { ActionBar } from "../../components/verdict/ActionBar";
import { allowed, parkedActions } from "../../components/verdict/actions";
import { ChangeStatus } from "../../components/verdict/ChangeStatus";
import { OutcomeForm } from "../../components/verdict/OutcomeForm";
import { useVerdict } from "../../components/verdict/useVerdict";
import { titleOf } from "../../components/words";

interface Props {
  item: PendingVerification;
  /** It waits no longer. */
  decided: boolean;
  mayAct: boolean;
  onTouch: () => void;
}

export function QueueRow({ item, decided, mayAct, onTouch }: Props) {
  const { session } = item;
  const fix = decided ? { ...item.fix, allowed_outcomes: [] } : item.fix;
  const change = useChange();
  const { form, act, record, cancel } = useVerdict(change);
  const { data: history = [] } = useHistory(session.id, decided);
  const status = history.findLast((entry) => entry.fix_id === fix.id && entry.to)?.to ?? fix.status;
  return (
    <li className={`queue-row ${decided ? "decided" : ""}`}>
      <What item={item} status={status} />
      {form && (
        <OutcomeForm
          draft={form}
          busy={change.busy}
          overtaken={overtaken(fix, form.outcome, history)}
          onSubmit={(outcome, notes) => void record(fix, outcome, notes || null)}
          onCancel={cancel}
        />
      )}
      {!form && mayAct && !decided && (
        <ActionBar
          actions={allowed(parkedActions(fix), fix)}
          about={fix.title}
          busy={change.busy}
          onAction={(action) => {
            onTouch();
            act(fix, action);
          }}
        />
      )}
      <ChangeStatus change={change} history={history} />
    </li>
  );
}

function What({ item: { fix, session, ...item }, status }: { item: PendingVerification; status: string }) {
  return (
    <div className="queue-what">
      <h2>
        <Link href={`/sessions/${session.id}`}>{titleOf(session)}</Link>
      </h2>
      <p>
        <Badge status={status} /> {fix.title}
      </p>
      <p className="banner-quote">{item.reason}</p>
      <p className="muted">
        Parked <Age at={item.since} /> by {item.parked_by.name ?? item.parked_by.role}
        {session.ticket && ` · ${session.ticket.system} ${session.ticket.id}`}
        {session.status === "escalated" && " · escalated"}
      </p>
    </div>
  );
}
