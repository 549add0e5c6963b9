import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Segment, SegmentPage } from "../src/core/segment.ts";
import { Api } from "../src/io/api.ts";
import { Problem, Unreachable } from "../src/io/errors.ts";
import { EventFeed } from "../src/io/feed.ts";

/** A service on the other side of `fetch` and `XMLHttpRequest`: it counts requests, and a test writes into its streams. */
class FakeService {
  readonly opened: { url: URL; last: string | null }[] = [];
  readonly lists: string[] = [];
  tickets = 0;
  /** Streams that the page closed. */
  closed = 0;
  segments: Segment[] = [];
  /** Status of each answer; 0: no answer. */
  status = 200;
  #stream: ReadableStreamDefaultController<Uint8Array> | null = null;

  readonly fetch = async (url: URL, init: { headers: Record<string, string>; signal: AbortSignal }) => {
    if (this.status === 0) throw new TypeError("Failed to fetch");
    this.opened.push({ url, last: init.headers["Last-Event-ID"] ?? null });
    if (this.status !== 200) return new Response('{"detail": "No."}', { status: this.status });
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => {
        this.#stream = stream;
        init.signal.addEventListener("abort", () => {
          this.closed += 1;
          stream.error(new DOMException("", "AbortError"));
        });
      },
    });
    this.write("id: 7\n\n");
    return new Response(body, { headers: { "Content-Type": "text/event-stream; charset=utf-8" } });
  };

  answer(method: string, url: URL): { status: number; text: string } {
    if (this.status !== 200) return { status: this.status, text: '{"detail": "No."}' };
    if (method === "POST") return { status: 201, text: `{"ticket": "ticket-${++this.tickets}"}` };
    this.lists.push(url.pathname);
    return { status: 200, text: JSON.stringify({ segments: this.segments, next: null } satisfies SegmentPage) };
  }

  write(text: string): void {
    this.#stream?.enqueue(new TextEncoder().encode(text));
  }

  happened(id: number, changed: Segment): void {
    const event = { id: String(id), type: `segment.${changed.state}`, segment: changed };
    this.write(`id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  cut(): void {
    this.#stream?.error(new TypeError("network error"));
  }
}

let service: FakeService;
let key: string | null;
let tab: EventTarget & { hidden: boolean };

class Request {
  status = 0;
  responseText = "";
  readonly upload = {};
  onload = () => {};
  onerror = () => {};
  onloadend = () => {};
  #opened: [string, URL] = ["", new URL("http://x/")];

  open(method: string, url: URL): void {
    this.#opened = [method, url];
  }
  setRequestHeader(): void {}
  abort(): void {}
  send(): void {
    const { status, text } = service.answer(...this.#opened);
    [this.status, this.responseText] = [status, text];
    queueMicrotask(() => {
      if (status === 0) this.onerror();
      else this.onload();
      this.onloadend();
    });
  }
}

function segment(number: number, state: Segment["state"] = "queued"): Segment {
  return { id: `seg_${number}`, state, created_at: `2026-01-01T00:00:0${number}Z` } as Segment;
}

const settled = () => vi.advanceTimersByTimeAsync(0);

/** A feed of the room, and what it says. */
async function started() {
  const seen = { states: [] as string[], health: [] as unknown[] };
  const keys = { current: () => key, refused: () => Promise.resolve(null) };
  const feed = new EventFeed(new Api(new URL("http://service.example/v1/"), keys), {
    page: ({ segments }) => seen.states.push(segments.map(({ id, state }) => `${id} ${state}`).join(", ")),
    segment: ({ id, state }) => seen.states.push(`${id} ${state}`),
    health: (error) => seen.health.push(error),
  });
  feed.start("a room");
  await settled();
  return { feed, ...seen };
}

beforeEach(() => {
  vi.useFakeTimers();
  service = new FakeService();
  key = null;
  tab = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal("document", tab);
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("fetch", service.fetch);
  vi.stubGlobal("XMLHttpRequest", Request);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a room is listed once, and followed without another request", async () => {
  service.segments = [segment(1, "playing")];
  const { states, health } = await started();
  service.happened(8, segment(1, "finished"));
  service.happened(9, segment(2));
  for (let minute = 0; minute < 10; minute++) {
    for (let quarter = 0; quarter < 4; quarter++) {
      await vi.advanceTimersByTimeAsync(15_000);
      service.write(": still here\n\n");
    }
  }
  expect(states).toEqual(["seg_1 playing", "seg_1 finished", "seg_2 queued"]);
  expect(service.lists).toEqual(["/v1/rooms/a%20room/segments"]);
  expect(service.opened.map(({ url }) => url.href)).toEqual(["http://service.example/v1/rooms/a%20room/events"]);
  expect(service.tickets).toBe(0);
  expect(health).toEqual([null]);
});

test("a stream that was cut goes on after its last event, and the viewer hears nothing of it", async () => {
  const { states, health } = await started();
  await vi.advanceTimersByTimeAsync(5_000);
  service.happened(8, segment(1));
  await settled();
  service.cut();
  await vi.advanceTimersByTimeAsync(250);
  service.happened(9, segment(1, "playing"));
  await settled();
  expect(service.opened.map(({ last }) => last)).toEqual([null, "8"]);
  expect(states.at(-1)).toBe("seg_1 playing");
  expect(health).toEqual([null, null]);
});

test("before its first event a stream goes on after the id that it began with", async () => {
  await started();
  service.cut();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(service.opened.map(({ last }) => last)).toEqual([null, "7"]);
});

test("a service that is away is named, asked less and less, and followed again once it is back", async () => {
  const { feed, health, states } = await started();
  await vi.advanceTimersByTimeAsync(5_000);
  service.status = 0;
  service.cut();
  await vi.advanceTimersByTimeAsync(250 + 1_000 + 2_000);
  expect(health.slice(1)).toEqual([expect.any(Unreachable), expect.any(Unreachable), expect.any(Unreachable)]);
  service.status = 200;
  service.segments = [segment(1, "finished")];
  feed.retry(); // an action has just succeeded
  await settled();
  expect(health.at(-1)).toBeNull();
  expect(states.at(-1)).toBe("seg_1 finished");
});

test("with a key each stream has a ticket of its own, so none is used after it has expired", async () => {
  key = "secret";
  await started();
  await vi.advanceTimersByTimeAsync(35_000);
  service.cut();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(service.opened.map(({ url }) => url.searchParams.get("ticket"))).toEqual(["ticket-1", "ticket-2"]);
});

test.each([401, 403])("a refusal (%i) is shown, and asked again later", async (status) => {
  service.status = status;
  const { health } = await started();
  expect(health).toEqual([expect.any(Problem)]);
  service.status = 200;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(health.at(-1)).toBeNull();
});

test("after a gap the room is listed again, before the events that follow", async () => {
  const { states } = await started();
  service.segments = [segment(3, "playing")];
  service.write('event: gap\ndata: {"type": "gap", "after": "7", "reached": "20"}\n\n');
  service.happened(21, segment(3, "finished"));
  await settled();
  expect(states).toEqual(["", "seg_3 playing", "seg_3 finished"]);
});

test("a stream that is silent for too long is opened again", async () => {
  await started();
  await vi.advanceTimersByTimeAsync(40_000 + 250);
  expect(service.opened).toHaveLength(2);
});

test("streams that end at once are not opened at once for ever", async () => {
  await started();
  for (let second = 0; second < 60; second++) {
    service.cut();
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(service.opened.length).toBeLessThan(15);
});

test("a hidden page holds no connection, and goes on where it was once it is seen again", async () => {
  const { health } = await started();
  service.happened(8, segment(1));
  await settled();
  tab.hidden = true;
  tab.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(600_000);
  expect(service.opened).toHaveLength(1);
  expect(service.closed).toBe(1);
  tab.hidden = false;
  tab.dispatchEvent(new Event("visibilitychange"));
  await settled();
  expect(service.opened.map(({ last }) => last)).toEqual([null, "8"]);
  expect(health).toEqual([null, null]);
});

test("a feed that was stopped asks for nothing more", async () => {
  const { feed } = await started();
  feed.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(service.opened).toHaveLength(1);
  expect(service.lists).toHaveLength(1);
});
