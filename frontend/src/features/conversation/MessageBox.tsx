import { type KeyboardEvent, type SyntheticEvent, useRef, useState } from "react";

import { addMessage } from "../../api/requests/addMessage";
import type { MessageRole } from "../../api/types";
import type { Change } from "../../api/useChange";
import { ChangeStatus } from "../../components/verdict/ChangeStatus";
import { useShortcuts } from "../../components/shortcuts";

interface Props {
  sessionId: string;
  change: Change;
  /** On a development stack one may speak for the others, too. */
  roles: readonly MessageRole[];
  onSending: (content: string | null) => void;
}

export function MessageBox({ sessionId, change, roles, onSending }: Props) {
  const [content, setContent] = useState("");
  const [role, setRole] = useState<MessageRole>("engineer");
  const box = useRef<HTMLTextAreaElement>(null);
  useShortcuts({ m: () => box.current?.focus() });

  const send = async (event: SyntheticEvent) => {
    event.preventDefault();
    const words = content.trim();
    if (!words || change.busy) return;
    setContent("");
    onSending(words);
    const sent = await change.run({
      what: "message sent",
      sessionId,
      call: (key) => addMessage(sessionId, role, words, key),
    });
    onSending(null);
    if (!sent) setContent((typed) => (typed ? `${words}\n${typed}` : words));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) void send(event);
    if (event.key === "Escape") box.current?.blur();
  };
  return (
    <form className="message-box" onSubmit={send}>
      {roles.length > 1 && (
        <select aria-label="Speak as" value={role} onChange={(event) => setRole(event.target.value as MessageRole)}>
          {roles.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
      )}
      <textarea
        ref={box}
        rows={1}
        aria-label="Message"
        aria-keyshortcuts="m"
        placeholder="What did you do or see? (Enter sends)"
        value={content}
        onChange={(event) => setContent(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="main" disabled={!content.trim() || change.busy}>
        Send
      </button>
      {change.progress.phase !== "recorded" && <ChangeStatus change={change} />}
    </form>
  );
}
