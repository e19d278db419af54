import { DropdownMenu } from "radix-ui";
import { useRef } from "react";

import type { Action } from "./actions";

interface Props {
  actions: readonly Action[];
  /** What they are about, for those who hear the page. */
  about: string;
  busy: boolean;
  onAction: (action: Action) => void;
  hints?: boolean;
}

export function ActionBar({ actions, about, busy, onAction, hints = false }: Props) {
  const more = actions.filter((action) => action.weight === "more");
  return (
    <div className="actions" role="group" aria-label={`What came of: ${about}`}>
      {actions
        .filter((action) => action.weight !== "more")
        .map((action) => (
          <button
            key={action.id}
            type="button"
            className={`${action.weight} ${action.id}`}
            aria-disabled={busy}
            aria-keyshortcuts={hints && action.key ? `v ${action.key}` : undefined}
            onClick={() => !busy && onAction(action)}
          >
            {action.label}
            {hints && action.key && <kbd aria-hidden="true">{action.key}</kbd>}
          </button>
        ))}
      {more.length > 0 && <More actions={more} busy={busy} onAction={onAction} />}
      {hints && (
        <span className="hint corner" aria-hidden="true">
          <kbd>v</kbd> + letter
        </span>
      )}
    </div>
  );
}

function More({ actions, busy, onAction }: Pick<Props, "actions" | "busy" | "onAction">) {
  const chosen = useRef(false);
  const choose = (action: Action) => {
    chosen.current = true;
    onAction(action);
  };
  return (
    <DropdownMenu.Root modal={false} onOpenChange={(open) => open && (chosen.current = false)}>
      <DropdownMenu.Trigger className="quiet" aria-label="More outcomes" disabled={busy}>
        More ▾
      </DropdownMenu.Trigger>
      {/* In its place, so that it belongs to a landmark; a form that opens takes the focus, and keeps it. */}
      <DropdownMenu.Content
        className="menu"
        align="end"
        sideOffset={4}
        collisionPadding={8}
        onCloseAutoFocus={(event) => chosen.current && event.preventDefault()}
      >
        {actions.map((action) => (
          <DropdownMenu.Item key={action.id} className="menu-item" onSelect={() => choose(action)}>
            {action.label}
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
