// The browser's own modal dialog: it holds the focus, hides the rest, and needs no style that the policy forbids.
import { type ReactNode, useEffect, useRef } from "react";

interface Props {
  title: string;
  /** None: it can be left by what is in it alone. */
  onClose?: () => void;
  children: ReactNode;
}

export function Dialog({ title, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby="dialog-title"
      onCancel={(event) => !onClose && event.preventDefault()}
      onClose={onClose}
    >
      <div className="dialog-head">
        <h2 id="dialog-title">{title}</h2>
        {onClose && (
          <button type="button" className="quiet" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        )}
      </div>
      {children}
    </dialog>
  );
}
