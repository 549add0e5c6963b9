/** The calls of the API: sent again while the service is away, said once. */

import { ClientError, failureOf, objectOf, ServiceProblem, ServiceUnavailable, UnexpectedAnswer } from "./errors.js";
import { EventParser, type StreamEvent } from "./event-parser.js";
import { AGAIN, Retrying } from "./retrying.js";
import type { components, operations } from "./schema.js";

type Schemas = components["schemas"];
type Segment = Schemas["Segment"];
type Query = Record<string, string | number | boolean | null | undefined>;

/** Parameters of a segment, and the name of the request: without `idempotencyKey` a new one is made for each call. */
export type SegmentOptions = Omit<
  NonNullable<operations["speak"]["parameters"]["query"]>,
  "wait" | "timeout" | "live"
> & { readonly idempotencyKey?: string };

/** A sound: the content of a file, or samples with their `contentType`. */
export type Sound = Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

/** Whose events are followed: all rooms', one room's, or one segment's until its end. */
export type EventsOf = { readonly room?: string; readonly segment?: never } | { readonly segment: string };

export interface ClientOptions {
  /** One of the service's keys, where it has any. */
  readonly key?: string;
  /** Seconds for which a call that fails for a reason that passes is sent again (60). */
  readonly retryFor?: number;
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
}

interface Call {
  readonly method: string;
  readonly path: string;
  /** Keys of the answer; none: it has no content. */
  readonly expected: readonly string[];
  /** Slug of the refusal which, sent again, says that the first try has arrived. */
  readonly done?: string;
  readonly query?: Query;
  readonly body?: BodyInit;
  readonly headers?: Record<string, string>;
}

/** Seconds that the service may hold one request back. */
const LONG_POLL = 20;
/** Milliseconds; an answer to a long poll takes up to 20 s. */
const TIMEOUT = 30_000;
/** Milliseconds: an upload may take longer. */
const UPLOAD_TIMEOUT = 600_000;
/** Milliseconds without a comment (each 15 s) or an event after which a stream is dead. */
const SILENCE = 40_000;
const ENDED: ReadonlySet<string> = new Set<Segment["state"]>([
  ...(["finished", "interrupted", "cancelled", "expired", "ignored", "failed", "unknown"] as const),
]);
const SEGMENT = ["id", "state"] as const;

export class Client {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #retryFor: number;
  readonly #fetch: typeof fetch;

  /** Every method rejects with a `ClientError`. */
  constructor(url: string, { key, retryFor = 60, fetch = globalThis.fetch }: ClientOptions = {}) {
    this.#base = url.replace(/\/+$/, "");
    this.#headers = key === undefined ? {} : { Authorization: `Bearer ${key}` };
    this.#retryFor = retryFor * 1000;
    this.#fetch = fetch.bind(globalThis);
  }

  /** Says a text; resolves once it is stored. */
  say(room: string, text: string, options: SegmentOptions & Omit<Schemas["TextBody"], "text"> = {}): Promise<Segment> {
    const { voice, tts, text_format, metadata, ...rest } = options;
    return this.#speak(room, JSON.stringify({ text, voice, tts, text_format, metadata }), "application/json", rest);
  }

  /** Says a sound; resolves once it is stored. `contentType` is needed where the content does not say its format. */
  play(room: string, sound: Sound, options: SegmentOptions & { contentType?: string } = {}): Promise<Segment> {
    const { contentType, ...rest } = options;
    const own = sound instanceof Blob && sound.type !== "" ? sound.type : "application/octet-stream";
    return this.#speak(room, sound, contentType ?? own, rest);
  }

  /** Says the sound at an address, which the service downloads. */
  playUrl(room: string, url: string, options: SegmentOptions = {}): Promise<Segment> {
    return this.#speak(room, JSON.stringify({ url }), "application/json", options);
  }

  /** Says a segment once more. */
  again(room: string, segment: string, options: SegmentOptions = {}): Promise<Segment> {
    return this.#speak(room, JSON.stringify({ segment }), "application/json", options);
  }

  /** A segment once it has ended, or as it stands after `timeout` seconds. */
  async wait(id: string, timeout = Number.POSITIVE_INFINITY): Promise<Segment> {
    const until = performance.now() + timeout * 1000;
    for (;;) {
      const left = Math.max(0, Math.min(LONG_POLL, (until - performance.now()) / 1000));
      const query = { wait: "finished", timeout: Number(left.toFixed(3)) };
      const segment = await this.#segment("GET", id, query);
      if (ENDED.has(segment.state) || performance.now() >= until) return segment;
      await pause(AGAIN); // a service that stops answers at once
    }
  }

  segment(id: string): Promise<Segment> {
    return this.#segment("GET", id);
  }

  /** A page of a room's segments, newest first. */
  segments(
    room: string,
    query: Omit<NonNullable<operations["list_segments"]["parameters"]["query"]>, "state"> & {
      state?: Segment["state"] | readonly Segment["state"][];
    } = {},
  ): Promise<Schemas["SegmentPage"]> {
    const { state, ...rest } = query;
    const states = state === undefined ? undefined : [state].flat().join(",");
    const expected = ["segments", "next"];
    return this.#call({ method: "GET", path: `${of(room)}/segments`, expected, query: { ...rest, state: states } });
  }

  /** Cancels a segment that waits, interrupts one that plays. */
  cancel(id: string, { purge = false } = {}): Promise<Segment> {
    return this.#segment("DELETE", id, purge ? { purge } : {});
  }

  /** Stops what plays. Sent again after its answer was lost, it stops what plays then. */
  interrupt(room: string, options: { avatar?: string; queued?: "keep" | "drop" } = {}): Promise<Schemas["Interrupted"]> {
    return this.#act(room, "interrupt", options.avatar, { queued: options.queued ?? "keep" });
  }

  /** Holds a room until it is resumed. */
  pause(room: string, options: { avatar?: string } = {}): Promise<Schemas["Pausing"]> {
    return this.#act(room, "pause", options.avatar, {});
  }

  resume(room: string, options: { avatar?: string } = {}): Promise<Schemas["Pausing"]> {
    return this.#act(room, "resume", options.avatar, {});
  }

  /** Opens a room with its avatar; the answer has a token for a viewer. */
  openRoom(body: Schemas["OpenRoomBody"] = {}): Promise<Schemas["OpenedRoom"]> {
    return this.#call({ method: "POST", path: "/v1/rooms", expected: ["room", "token"], ...json(body) });
  }

  room(room: string): Promise<Schemas["Room"]> {
    return this.#call({ method: "GET", path: of(room), expected: ["room"] });
  }

  rooms(): Promise<Schemas["RoomList"]> {
    return this.#call({ method: "GET", path: "/v1/rooms", expected: ["rooms"] });
  }

  /** Ends a room: everybody is thrown out of it. */
  async endRoom(room: string): Promise<void> {
    await this.#call({ method: "DELETE", path: of(room), expected: [], done: "room-not-found" });
  }

  voices(): Promise<Schemas["VoiceList"]> {
    return this.#call({ method: "GET", path: "/v1/voices", expected: ["voices"] });
  }

  /** A token for one more viewer. */
  token(room: string, body: Schemas["TokenBody"] = {}): Promise<Schemas["Token"]> {
    return this.#call({ method: "POST", path: `${of(room)}/tokens`, expected: ["token"], ...json(body) });
  }

  /** A ticket with which a browser opens the room's events, without a key. */
  ticket(room: string, body: Schemas["TicketBody"] = {}): Promise<Schemas["Ticket"]> {
    return this.#call({ method: "POST", path: `${of(room)}/tickets`, expected: ["ticket"], ...json(body) });
  }

  webhooks(): Promise<Schemas["WebhookList"]> {
    return this.#call({ method: "GET", path: "/v1/webhooks", expected: ["webhooks"] });
  }

  /** A page of what webhooks could not deliver (`failed`, given up) or are still to deliver (`pending`), newest first. */
  deliveries(
    query: NonNullable<operations["list_deliveries"]["parameters"]["query"]> = {},
  ): Promise<Schemas["DeliveryPage"]> {
    const expected = ["deliveries", "next"];
    return this.#call({ method: "GET", path: "/v1/webhooks/deliveries", expected, query });
  }

  /** Sends one that could not be delivered again. */
  retryDelivery(id: string): Promise<Schemas["Delivery"]> {
    const path = `/v1/webhooks/deliveries/${encodeURIComponent(id)}/retry`;
    return this.#call({ method: "POST", path, expected: SEGMENT });
  }

  /**
   * What happens, from now on (or from a segment's beginning), or after the event `after`; a stream that is cut goes on
   * where it was. `signal` ends it.
   */
  async *events(what: EventsOf & { after?: string; signal?: AbortSignal } = {}): AsyncGenerator<StreamEvent, void> {
    const parser = new EventParser(what.after ?? null);
    const retrying = new Retrying(performance.now() + this.#retryFor);
    const path = what.segment !== undefined ? `/v1/segments/${encodeURIComponent(what.segment)}` : of(what.room);
    while (!what.signal?.aborted) {
      parser.restart();
      const connection = new AbortController();
      const stop = () => connection.abort();
      what.signal?.addEventListener("abort", stop, { once: true });
      let failure: ClientError | null = null;
      try {
        const answer = await this.#open(`${path}/events`, parser.last, connection);
        if (answer.status === 204) return;
        if (answer.status === 200 && answer.body !== null && isEventStream(answer)) {
          retrying.succeeded(performance.now() + this.#retryFor);
          for await (const piece of pieces(answer.body, connection)) yield* parser.take(piece);
        } else {
          failure = await failureOf(answer);
        }
      } catch (error) {
        if (what.signal?.aborted) return;
        failure = new ServiceUnavailable(error);
      } finally {
        what.signal?.removeEventListener("abort", stop);
        connection.abort();
      }
      if (failure === null) await pause(AGAIN);
      else await waitFor(retrying, failure);
    }
  }

  #open(path: string, last: string | null, connection: AbortController): Promise<Response> {
    const known: Record<string, string> = last === null ? {} : { "Last-Event-ID": last };
    const headers = { ...this.#headers, Accept: "text/event-stream", "Cache-Control": "no-store", ...known };
    const late = setTimeout(() => connection.abort(), TIMEOUT);
    return this.#fetch(this.#base + path, { headers, signal: connection.signal }).finally(() => clearTimeout(late));
  }

  #speak(room: string, body: BodyInit, contentType: string, options: SegmentOptions): Promise<Segment> {
    const { idempotencyKey, ...query } = options;
    const headers = { "Content-Type": contentType, "Idempotency-Key": idempotencyKey ?? crypto.randomUUID() };
    return this.#call({ method: "POST", path: `${of(room)}/segments`, expected: SEGMENT, query, body, headers });
  }

  #segment(method: string, id: string, query: Query = {}): Promise<Segment> {
    return this.#call({ method, path: `/v1/segments/${encodeURIComponent(id)}`, expected: SEGMENT, query });
  }

  #act<T>(room: string, action: string, avatar: string | undefined, body: object): Promise<T> {
    const expected = ["segments"];
    return this.#call({ method: "POST", path: `${of(room)}/${action}`, expected, query: { avatar }, ...json(body) });
  }

  async #call<T>(call: Call): Promise<T> {
    const retrying = new Retrying(performance.now() + this.#retryFor);
    for (let sentBefore = false; ; ) {
      let failure: ClientError;
      try {
        const answer = await this.#send(call);
        if (answer.ok) return valueOf<T>(call, answer.status, await objectOf(answer));
        failure = await failureOf(answer);
        if (sentBefore && failure instanceof ServiceProblem && failure.slug === call.done) return {} as T;
      } catch (error) {
        if (error instanceof ClientError) throw error;
        failure = new ServiceUnavailable(error);
      }
      sentBefore = true;
      await waitFor(retrying, failure);
    }
  }

  #send({ method, path, query = {}, body, headers }: Call): Promise<Response> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    const url = `${this.#base}${path}${parameters.size > 0 ? `?${parameters}` : ""}`;
    const signal = AbortSignal.timeout(body === undefined || typeof body === "string" ? TIMEOUT : UPLOAD_TIMEOUT);
    return this.#fetch(url, { method, headers: { ...this.#headers, ...headers }, body: body ?? null, signal });
  }
}

/** @throws {UnexpectedAnswer} */
function valueOf<T>(call: Call, status: number, value: Record<string, unknown>): T {
  if (call.expected.some((name) => !(name in value)) || (call.expected.length === 0 && status !== 204)) throw new UnexpectedAnswer(status);
  return value as T;
}

/** Waits for the next try. @throws {ClientError} there is none. */
async function waitFor(retrying: Retrying, failure: ClientError): Promise<void> {
  const delay = retrying.after(failure, performance.now());
  if (delay === null) throw failure;
  await pause(delay);
}

function isEventStream(answer: Response): boolean {
  return (answer.headers.get("Content-Type") ?? "").startsWith("text/event-stream");
}

/** The text of a body, until it is silent for too long. */
async function* pieces(body: ReadableStream<Uint8Array>, connection: AbortController): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const silent = setTimeout(() => connection.abort(), SILENCE);
    try {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    } finally {
      clearTimeout(silent);
    }
  }
}

function of(room: string | undefined): string {
  return room === undefined ? "/v1" : `/v1/rooms/${encodeURIComponent(room)}`;
}

function json(value: object): { body: string; headers: Record<string, string> } {
  return { body: JSON.stringify(value), headers: { "Content-Type": "application/json" } };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
