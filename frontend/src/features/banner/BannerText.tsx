import type { ReactNode } from "react";

import type { ChatMessage, Fix, HistoryEntry, Proposal } from "../../api/types";
import { Age } from "../../components/Age";
import { OUTCOME } from "../../components/words";
import type { Mode } from "./mode";

interface Props {
  mode: Mode;
  fix: Fix;
  messages: readonly ChatMessage[];
  history: readonly HistoryEntry[];
}

export function BannerText({ mode, fix, messages, history }: Props) {
  return (
    <div className="banner-text">
      <p className="banner-head">
        <strong>{HEAD[mode]}</strong>
        <span className="banner-fix">{fix.title}</span>
      </p>
      <Detail mode={mode} fix={fix} messages={messages} history={history} />
    </div>
  );
}

const HEAD: Record<Mode, string> = {
  proposed: "Suggested",
  verifying: "Did it work?",
  nudge: "Still no verdict. Did it work?",
  pending: "Awaiting verification",
  partial: "Partly applied",
  ai_confirming: "The AI has a proposal",
  none: "",
};

function Detail({ mode, fix, messages, history }: Props): ReactNode {
  switch (mode) {
    case "proposed":
      return <p className="banner-detail">{fix.description}</p>;
    case "verifying":
    case "nudge":
      return <Since fix={fix} history={history} what="Applied" />;
    case "pending":
      return (
        <>
          <p className="banner-quote">{fix.pending_reason}</p>
          <Since fix={fix} history={history} what="Parked" />
        </>
      );
    case "partial":
      return (
        <>
          <p className="banner-quote">{fix.partial_notes}</p>
          <Since fix={fix} history={history} what="Noted" />
        </>
      );
    case "ai_confirming":
      return fix.ai_outcome_proposal ? <Guess proposal={fix.ai_outcome_proposal} messages={messages} /> : null;
    case "none":
      return null;
  }
}

/** "Applied 6 min ago by Sam": from the history, which names the person. */
function Since({ fix, history, what }: { fix: Fix; history: readonly HistoryEntry[]; what: string }) {
  const status = fix.status;
  const entry = history.findLast(
    (each) => each.fix_id === fix.id && (each.kind === "fix.applied" || (each.to === status && status !== "proposed")),
  );
  const at = entry?.at ?? fix.applied_at;
  if (!at) return null;
  return (
    <p className="muted" aria-live="off">
      {what} <Age at={at} />
      {entry?.actor.name && ` by ${entry.actor.name}`}
    </p>
  );
}

function Guess({ proposal, messages }: { proposal: Proposal; messages: readonly ChatMessage[] }) {
  const sure = proposal.confidence_pct == null ? "" : ` (${proposal.confidence_pct} % sure)`;
  return (
    <>
      <p className="banner-detail">
        AI thinks: <strong>{OUTCOME[`applied_${proposal.outcome}`]}</strong>
        {sure}, because {proposal.reason}
      </p>
      {proposal.evidence && proposal.evidence.length > 0 && (
        <ul className="evidence" aria-label="What that rests on">
          {proposal.evidence.map(({ message_id, quote }) => {
            const message = messages.find((each) => each.id === message_id);
            return (
              <li key={`${message_id} ${quote}`}>
                <q>{quote}</q>{" "}
                {message && (
                  <a href={`#message-${message_id}`}>
                    {message.role === "engineer" ? (message.author.name ?? "engineer") : message.role}
                  </a>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}
