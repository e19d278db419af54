import { type Dispatch, type KeyboardEvent, type SetStateAction, type SyntheticEvent, useRef, useState } from "react";

import { addMessage } from "../../api/requests/addMessage";
import type { MessageRole } from "../../api/types";
import type { Change } from "../../api/useChange";
import { ChangeStatus } from "../../components/verdict/ChangeStatus";
import { useShortcuts } from "../../components/shortcuts";

export interface Outgoing {
  key: string;
  words: string;
}

interface Props {
  sessionId: string;
  change: Change;
  /** On a development stack one may speak for the others, too. */
  roles: readonly MessageRole[];
  onSending: Dispatch<SetStateAction<readonly Outgoing[]>>;
}

export function MessageBox({ sessionId, change, roles, onSending }: Props) {
  const [content, setContent] = useState("");
  const [role, setRole] = useState<MessageRole>("engineer");
  const box = useRef<HTMLTextAreaElement>(null);
  useShortcuts({ m: () => box.current?.focus() });

  // Who types fast does not wait: each message follows the one before.
  const last = useRef(Promise.resolve());
  // What failed comes back into the box; sent again as it was, it is the same intent.
  const failed = useRef<Outgoing | null>(null);

  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    const words = content.trim();
    if (!words) return;
    const key = failed.current?.words === words ? failed.current.key : crypto.randomUUID();
    failed.current = null;
    setContent("");
    onSending((others) => [...others, { key, words }]);
    last.current = last.current.then(async () => {
      const call = () => addMessage(sessionId, role, words, key);
      const sent = await change.run({ what: "the message", sessionId, call });
      onSending((others) => others.filter((each) => each.key !== key));
      if (sent) return;
      failed.current = { key, words };
      setContent((typed) => (typed ? `${words}\n${typed}` : words));
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) send(event);
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
      <button type="submit" className="main" disabled={!content.trim()}>
        Send
      </button>
      {change.progress.phase !== "recorded" && <ChangeStatus change={change} retry={false} />}
    </form>
  );
}
