import { useEffect, useRef } from "react";

import type { ChatMessage, SessionWithFixes } from "../../api/types";
import { Age } from "../../components/Age";
import { LongText } from "./LongText";
import type { Outgoing } from "./MessageBox";

interface Props {
  session: SessionWithFixes;
  messages: readonly ChatMessage[];
  /** What is being sent, and is not recorded yet. */
  sending: readonly Outgoing[];
}

const NEAR_THE_END_PX = 120;

export function Conversation({ session, messages, sending }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const count = messages.length + sending.length;
  // Whoever reads further up is not moved.
  useEffect(() => {
    if (atEnd.current) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [count]);

  return (
    <div
      ref={list}
      className="conversation"
      role="log"
      aria-label="Conversation"
      tabIndex={0}
      onScroll={({ currentTarget: it }) => {
        atEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < NEAR_THE_END_PX;
      }}
    >
      <article className="message intake">
        <Who name="As it was reported" at={session.created_at} />
        <LongText text={session.intake_content.text} />
      </article>
      {messages.map((message) => (
        <article key={message.id} id={`message-${message.id}`} className={`message ${message.role}`} tabIndex={-1}>
          <Who name={nameOf(message)} at={message.created_at} />
          <LongText text={message.content} />
        </article>
      ))}
      {sending.map(({ key, words }) => (
        <article key={key} className="message engineer sending">
          <p className="who">Sending…</p>
          <LongText text={words} />
        </article>
      ))}
    </div>
  );
}

function Who({ name, at }: { name: string; at: string }) {
  return (
    <p className="who" aria-live="off">
      <span>{name}</span> <Age at={at} />
    </p>
  );
}

function nameOf({ role, author }: ChatMessage): string {
  if (role === "assistant") return "AI assistant";
  if (role === "client") return "Client";
  return author.name ?? "Engineer";
}
