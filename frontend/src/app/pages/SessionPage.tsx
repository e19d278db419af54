// One session: the conversation with its banner on one side, what is recorded and written of it on the other.
import { useState } from "react";
import { Link } from "wouter";

import { useFacts } from "../../api/requests/listFacts";
import { useSession } from "../../api/requests/getSession";
import { useDemoPeople } from "../../api/requests/getSignIn";
import { useHistory } from "../../api/requests/listHistory";
import { useMessages } from "../../api/requests/listMessages";
import type { MessageRole } from "../../api/types";
import { useChange } from "../../api/useChange";
import { useLive } from "../../api/useLive";
import { Loading } from "../../components/Loading";
import { useTitle } from "../../components/useTitle";
import { titleOf } from "../../components/words";
import { Banner } from "../../features/banner/Banner";
import { activeFix } from "../../features/banner/mode";
import { Conversation } from "../../features/conversation/Conversation";
import { MessageBox, type Outgoing } from "../../features/conversation/MessageBox";
import { SessionHead } from "./SessionHead";
import { SidePanel } from "./SidePanel";

const EVERY_ROLE: readonly MessageRole[] = ["engineer", "client", "assistant"];

export function SessionPage({ id, mayAct }: { id: string; mayAct: boolean }) {
  const connection = useLive(id);
  const session = useSession(id);
  const { data: messages = [] } = useMessages(id);
  const { data: facts = [] } = useFacts(id);
  const { data: history = [] } = useHistory(id);
  const verdict = useChange();
  const message = useChange();
  const [sending, setSending] = useState<readonly Outgoing[]>([]);
  const [view, setView] = useState<"talk" | "record">("talk");
  const roles = useDemoPeople().length > 0 ? EVERY_ROLE : EVERY_ROLE.slice(0, 1);

  useTitle(session.data ? titleOf(session.data) : "Session");

  if (!session.data) {
    return (
      <main className="page" tabIndex={-1}>
        <h1>Session</h1>
        <Loading what="the session" error={session.error} again={() => void session.refetch()} />
        <Link href="/sessions">All sessions</Link>
      </main>
    );
  }
  const { data } = session;
  const fixes = data.fixes ?? [];
  const open = data.status === "active";
  return (
    <main className="session" data-view={view} tabIndex={-1}>
      <SessionHead session={data} connection={connection} mayAct={mayAct} view={view} onView={setView} />
      <section className="talk" aria-label="Conversation and outcome">
        <Conversation session={data} messages={messages} sending={sending} />
        <div className="dock">
          <Banner fixes={fixes} messages={messages} history={history} change={verdict} mayAct={mayAct} />
          {mayAct && open ? (
            <MessageBox sessionId={id} change={message} roles={roles} onSending={setSending} />
          ) : (
            <p className="closed">
              {open ? "Your role reads, and changes nothing." : `This session is ${data.status}.`}
            </p>
          )}
        </div>
      </section>
      <SidePanel
        session={data}
        facts={facts}
        history={history}
        inBanner={activeFix(fixes)?.id}
        mayAct={mayAct}
      />
    </main>
  );
}
