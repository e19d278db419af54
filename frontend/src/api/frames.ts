// Server-sent events, as they are read from a body.

export interface StreamEvent {
  name: string;
  id: number | null;
  data: unknown;
}

type OnEvent = (event: StreamEvent) => void;

/** Until the body ends. `onSign` is told of everything that comes, the comments that only say "still here" too. */
export async function readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEvent: OnEvent,
  onSign: () => void = () => undefined,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    onSign();
    const blocks = (rest + part.value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) readBlock(block, onEvent);
  }
}

function readBlock(block: string, onEvent: OnEvent): void {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const data = fields.get("data");
  if (data === undefined) return;
  const id = fields.get("id");
  onEvent({
    name: fields.get("event") ?? "message",
    id: id === undefined ? null : Number(id),
    data: JSON.parse(data) as unknown,
  });
}
