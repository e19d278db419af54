import { useState } from "react";

interface Props {
  markdown: string;
  html: () => string;
}

export function CopyButtons({ markdown, html }: Props) {
  const [said, setSaid] = useState("");
  const copy = async (what: string, items: ClipboardItem) => {
    try {
      await navigator.clipboard.write([items]);
      setSaid(`Copied as ${what}`);
    } catch {
      setSaid("The browser did not allow it");
    }
  };
  const plain = new Blob([markdown], { type: "text/plain" });
  return (
    <div className="actions">
      <button type="button" onClick={() => void copy("markdown", new ClipboardItem({ "text/plain": plain }))}>
        Copy markdown
      </button>
      <button
        type="button"
        onClick={() => {
          const rich = new Blob([html()], { type: "text/html" });
          void copy("rich text", new ClipboardItem({ "text/plain": plain, "text/html": rich }));
        }}
      >
        Copy rich text
      </button>
      <span role="status" className="muted">
        {said}
      </span>
    </div>
  );
}
