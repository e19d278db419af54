import { Dialog } from "../components/Dialog";
import { useShortcutsEnabled } from "../components/shortcuts";

const VERDICTS: readonly [string, string][] = [
  ["v a", "Apply"],
  ["v w", "Worked"],
  ["v d", "Didn't work"],
  ["v p", "Partly…, or update the notes"],
  ["v t", "Waiting to verify…, still checking…, or update the reason"],
  ["v x", "Dismiss"],
  ["v c", "Confirm the AI's proposal"],
  ["v e", "Edit the AI's proposal"],
  ["v r", "Reject the AI's proposal"],
];
const PLACES: readonly [string, string][] = [
  ["m", "Write a message"],
  ["s", "Sessions"],
  ["q", "Awaiting verification"],
  ["/", "Search sessions"],
  ["n", "New session"],
  ["Ctrl Enter", "Record what a form says"],
  ["Esc", "Leave a form or the message box"],
  ["?", "This overview"],
];

export function Shortcuts({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useShortcutsEnabled();
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <p>A verdict is final, so it takes two keys: v, then its letter. Nothing works while you type.</p>
      <Keys title="The banner" keys={VERDICTS} />
      <Keys title="Everywhere" keys={PLACES} />
      <label className="check">
        <input type="checkbox" checked={on} onChange={(event) => setOn(event.target.checked)} />
        Use single-key shortcuts
      </label>
    </Dialog>
  );
}

function Keys({ title, keys }: { title: string; keys: readonly [string, string][] }) {
  return (
    <>
      <h3>{title}</h3>
      <dl className="keys">
        {keys.map(([combination, meaning]) => (
          <div key={combination}>
            <dt>
              {combination.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
