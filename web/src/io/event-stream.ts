/** One stream of server-sent events, as text. Uses fetch: an EventSource does not say with which status it was refused. */

import { Unreachable } from "./errors.ts";

/** Milliseconds until the stream begins. */
const TIMEOUT = 20_000;
/** Milliseconds without a comment (the service sends one each 15 s) or an event after which a stream is dead. */
const SILENCE = 40_000;

/** Returns the answer once its body begins. @throws {Unreachable} there is none. */
export async function openStream(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  const connection = new AbortController();
  const abort = () => connection.abort();
  signal.addEventListener("abort", abort, { once: true });
  const late = setTimeout(abort, TIMEOUT);
  try {
    return await fetch(url, { headers, cache: "no-store", signal: connection.signal });
  } catch {
    signal.throwIfAborted();
    throw new Unreachable();
  } finally {
    clearTimeout(late);
  }
}

/** The text of a stream until it was closed, or is silent for too long. @throws {Unreachable} it was cut. */
export async function* textOf(stream: Response): AsyncGenerator<string, void> {
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (reader !== undefined) {
    const silent = setTimeout(() => void reader.cancel(), SILENCE);
    try {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    } catch {
      throw new Unreachable();
    } finally {
      clearTimeout(silent);
    }
  }
}

export function isEventStream(answer: Response): boolean {
  return answer.status === 200 && (answer.headers.get("Content-Type") ?? "").startsWith("text/event-stream");
}
