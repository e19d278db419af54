import { useState } from "react";

interface Props {
  markdown: string;
  html: () => string;
}

export function CopyButtons({ markdown, html }: Props) {
  const [said, setSaid] = useState("");
  const copy = async (what: string, types: Record<string, string>) => {
    try {
      const blobs = Object.entries(types).map(([type, text]) => [type, new Blob([text], { type })] as const);
      await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
      setSaid(`Copied as ${what}`);
    } catch {
      setSaid("The browser did not allow it");
    }
  };
  return (
    <div className="copy">
      <button type="button" onClick={() => void copy("markdown", { "text/plain": markdown })}>
        Copy markdown
      </button>
      <button
        type="button"
        onClick={() => void copy("rich text", { "text/plain": markdown, "text/html": html() })}
      >
        Copy rich text
      </button>
      <span role="status" className="muted">
        {said}
      </span>
    </div>
  );
}
