/** Reads a response as server-sent events. */

import { createParser, type EventSourceMessage } from "eventsource-parser";

/** Yields events as they arrive and ends with the stream. `onBytes` is called for anything received, pings included. */
export async function* readEvents(response: Response, onBytes?: () => void): AsyncGenerator<EventSourceMessage> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const pending: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => pending.push(event) });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes?.();
      parser.feed(decoder.decode(value, { stream: true }));
      yield* pending.splice(0);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
