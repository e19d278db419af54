import { expect, test } from "vitest";

import { type StreamEvent, readEvents } from "./frames";

const STREAM = 'retry: 2000\n\nid: 7\nevent: fix.applied\ndata: {"words":"é: ja"}\n\n: still here\n\nevent: state\ndata: {}\n\nevent: cut';

async function read(chunks: readonly Uint8Array<ArrayBuffer>[]) {
  const events: StreamEvent[] = [];
  let signs = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      chunks.forEach((chunk) => controller.enqueue(chunk));
      controller.close();
    },
  });
  await readEvents(body, (event) => events.push(event), () => (signs += 1));
  return { events, signs };
}

test("events are read whole, wherever the network cuts the stream", async () => {
  const bytes = new TextEncoder().encode(STREAM);
  for (const size of [1, 3, 16, bytes.length]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, place) =>
      bytes.slice(place * size, (place + 1) * size),
    );
    const { events } = await read(chunks);
    expect(events).toEqual([
      { name: "fix.applied", id: 7, data: { words: "é: ja" } },
      { name: "state", id: null, data: {} },
    ]);
  }
});

test("a comment is a sign of life, and no event", async () => {
  expect(await read([new TextEncoder().encode(": still here\n\n")])).toEqual({ events: [], signs: 1 });
});
