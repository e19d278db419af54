import { Link } from "wouter";

import type { PendingVerification } from "../../api/types";
import { useChange } from "../../api/useChange";
import { Age } from "../../components/Age";
import { Badge } from "../../components/Badge";
import { ActionBar } from "../../components/verdict/ActionBar";
import { allowed, parkedActions } from "../../components/verdict/actions";
import { ChangeStatus } from "../../components/verdict/ChangeStatus";
import { OutcomeForm } from "../../components/verdict/OutcomeForm";
import { useVerdict } from "../../components/verdict/useVerdict";
import { titleOf } from "../../components/words";

export function QueueRow({ item, mayAct }: { item: PendingVerification; mayAct: boolean }) {
  const { fix, session } = item;
  const change = useChange();
  const { form, act, record, cancel } = useVerdict(change);
  return (
    <li className={`queue-row ${fix.status}`}>
      <div className="queue-what">
        <h2>
          <Link href={`/sessions/${session.id}`}>{titleOf(session)}</Link>
        </h2>
        <p>
          <Badge status={fix.status} /> {fix.title}
        </p>
        <p className="banner-quote">{item.reason}</p>
        <p className="muted">
          Parked <Age at={item.since} /> by {item.parked_by.name ?? item.parked_by.role}
          {session.ticket && ` · ${session.ticket.system} ${session.ticket.id}`}
          {session.status === "escalated" && " · escalated"}
        </p>
      </div>
      {form ? (
        <OutcomeForm
          draft={form}
          busy={change.busy}
          overtaken={null}
          onSubmit={(outcome, notes) => void record(fix, outcome, notes || null)}
          onCancel={cancel}
        />
      ) : (
        mayAct && (
          <ActionBar
            actions={allowed(parkedActions(fix), fix)}
            about={fix.title}
            busy={change.busy}
            onAction={(action) => act(fix, action)}
          />
        )
      )}
      <ChangeStatus change={change} />
    </li>
  );
}
