// Markdown as elements, never as HTML text: what a model or a client wrote cannot become markup.
import { type Token, type Tokens, lexer } from "marked";
import { Fragment, type ReactNode } from "react";

import type { Citation } from "../../api/types";
import { Citations, Cited } from "./Cited";

interface Props {
  text: string;
  citations: readonly Citation[];
}

export default function Markdown({ text, citations }: Props) {
  return (
    <Citations value={citations}>
      <div className="markdown">{many(lexer(text))}</div>
    </Citations>
  );
}

function many(tokens: readonly Token[] | undefined): ReactNode {
  return tokens?.map((token, place) => <Fragment key={place}>{one(token)}</Fragment>);
}

const BLOCKS: Record<string, (token: never) => ReactNode> = {
  heading: ({ depth, tokens }: Tokens.Heading) => (depth <= 2 ? <h2>{many(tokens)}</h2> : <h3>{many(tokens)}</h3>),
  paragraph: ({ tokens, raw }: Tokens.Paragraph) => (
    <p>
      {many(tokens)}
      <Cited raw={raw} />
    </p>
  ),
  blockquote: ({ tokens }: Tokens.Blockquote) => <blockquote>{many(tokens)}</blockquote>,
  code: ({ text }: Tokens.Code) => (
    <pre tabIndex={0}>
      <code>{text}</code>
    </pre>
  ),
  list: ({ ordered, items, start }: Tokens.List) => {
    const shown = items.map((item, place) => (
      <li key={place}>
        {many(item.tokens)}
        {!item.loose && <Cited raw={item.raw} />}
      </li>
    ));
    return ordered ? <ol start={Number(start) || 1}>{shown}</ol> : <ul>{shown}</ul>;
  },
  table: ({ header, rows }: Tokens.Table) => (
    <table>
      <thead>
        <tr>{header.map((cell, place) => <th key={place}>{many(cell.tokens)}</th>)}</tr>
      </thead>
      <tbody>
        {rows.map((row, place) => (
          <tr key={place}>{row.map((cell, column) => <td key={column}>{many(cell.tokens)}</td>)}</tr>
        ))}
      </tbody>
    </table>
  ),
  hr: () => <hr />,
  space: () => null,
  def: () => null,
  br: () => <br />,
  strong: ({ tokens }: Tokens.Strong) => <strong>{many(tokens)}</strong>,
  em: ({ tokens }: Tokens.Em) => <em>{many(tokens)}</em>,
  del: ({ tokens }: Tokens.Del) => <del>{many(tokens)}</del>,
  codespan: ({ text }: Tokens.Codespan) => <code>{text}</code>,
  escape: ({ text }: Tokens.Escape) => text,
  link: ({ href, tokens }: Tokens.Link) =>
    isSafe(href) ? (
      <a href={href} target="_blank" rel="noopener noreferrer">
        {many(tokens)}
      </a>
    ) : (
      many(tokens)
    ),
  // No picture is loaded from an address that somebody wrote into a ticket.
  image: ({ text }: Tokens.Image) => text,
  checkbox: ({ checked }: Tokens.Checkbox) => (checked ? "☑ " : "☐ "),
  text: (token: Tokens.Text) => (token.tokens ? many(token.tokens) : unescaped(token.text)),
};

/** Anything unknown, raw HTML above all, is shown as the text that it is. */
function one(token: Token): ReactNode {
  return BLOCKS[token.type]?.(token as never) ?? (token.type in BLOCKS ? null : token.raw);
}

function isSafe(href: string): boolean {
  return /^(https?:|mailto:)/i.test(href);
}

const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

/** The lexer escapes for HTML, which is not written here. */
function unescaped(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}
