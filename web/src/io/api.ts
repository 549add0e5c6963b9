/** The part of the service's HTTP API (docs/api.md) that the page uses. */

import type { Segment, SegmentPage } from "../core/segment.ts";
import type { TtsVoice } from "../core/tts-voices.ts";
import { type ProblemDetails, viewerMessage } from "../core/viewer-message.ts";
import { Problem, Unreachable } from "./errors.ts";
import { isEventStream, openStream, textOf } from "./event-stream.ts";
import { logForOperator } from "./operator-log.ts";

export interface OpenedRoom {
  readonly room: string;
  readonly livekit_url: string;
  readonly token: string;
  /** Identity that the avatar will have; null where the worker decides. */
  readonly avatar: string | null;
}

/** No key was sent, the service does not know it, or it is limited to other rooms. */
export type KeyRefusal = "missing" | "unknown" | "other-rooms";

/** Where the API key comes from. */
export interface ApiKeys {
  /** The key to send, or null to send none. */
  current(): string | null;
  /** The service refused `key`: the key to try next, or null to give up. */
  refused(key: string | null, why: KeyRefusal): Promise<string | null>;
}

interface Response {
  readonly status: number;
  readonly text: string;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: XMLHttpRequestBodyInit;
  readonly type?: string;
  readonly signal?: AbortSignal | undefined;
  /** The page itself makes the request, not the viewer: a refused key opens no dialog. */
  readonly background?: boolean;
  /** Bytes sent so far and in total. */
  readonly onProgress?: (sent: number, total: number) => void;
}

export class Api {
  readonly #base: URL;
  readonly #keys: ApiKeys;

  constructor(base: URL, keys: ApiKeys) {
    this.#base = base;
    this.#keys = keys;
  }

  openRoom(room: string | null, signal?: AbortSignal): Promise<OpenedRoom> {
    return this.#call({ method: "POST", path: "rooms", ...json(room === null ? {} : { room }), signal });
  }

  segments(room: string, range: { limit: number; after?: string }, signal?: AbortSignal): Promise<SegmentPage> {
    const query = new URLSearchParams({ limit: String(range.limit) });
    if (range.after !== undefined) query.set("after", range.after);
    return this.#call({ method: "GET", path: `${roomPath(room)}/segments?${query}`, background: true, signal });
  }

  /**
   * Opens the stream of a room's events after the one with the id `last`, or from now on, and returns its text.
   *
   * Where the page has a key, a ticket of its own opens each stream. The text ends where the stream was closed.
   *
   * @throws {Problem} the service answered with an error. @throws {Unreachable} it did not answer, or the stream was cut.
   */
  async events(room: string, last: string | null, signal: AbortSignal): Promise<AsyncIterable<string>> {
    const url = new URL(`${roomPath(room)}/events`, this.#base);
    if (this.#keys.current() !== null) url.searchParams.set("ticket", await this.#ticket(room, signal));
    const headers = { Accept: "text/event-stream", ...(last === null ? {} : { "Last-Event-ID": last }) };
    const stream = await openStream(url, headers, signal);
    if (isEventStream(stream)) return textOf(stream);
    throw stream.ok ? new Unreachable() : problemOf({ status: stream.status, text: await stream.text() });
  }

  /** Sends a sound file as a form: its part carries the file's name and type. */
  speakFile(
    room: string,
    file: Blob,
    name: string,
    type: string,
    signal: AbortSignal,
    onProgress: (sent: number, total: number) => void,
  ): Promise<Segment> {
    const body = new FormData();
    body.append("file", new File([file], name, { type }));
    return this.#call({ method: "POST", path: `${roomPath(room)}/segments`, body, signal, onProgress });
  }

  /** Without `voice` the service uses its default. */
  speakText(room: string, text: string, voice?: TtsVoice): Promise<Segment> {
    const spoken = { text, voice: voice?.id, tts: voice?.provider ?? undefined };
    return this.#call({ method: "POST", path: `${roomPath(room)}/segments`, ...json(spoken) });
  }

  /** Stops the playing segment and returns what ended. */
  async interrupt(room: string): Promise<readonly Segment[]> {
    const stopped = await this.#call<{ segments: readonly Segment[] }>({
      method: "POST",
      path: `${roomPath(room)}/interrupt`,
      ...json({ queued: "keep" }),
    });
    return stopped.segments;
  }

  cancel(segment: string): Promise<Segment> {
    return this.#call({ method: "DELETE", path: `segments/${encodeURIComponent(segment)}` });
  }

  /** The voices for text; none where the API has no such list. */
  async voices(): Promise<readonly TtsVoice[]> {
    try {
      const answer = await this.#call<{ voices?: readonly TtsVoice[] }>({
        method: "GET",
        path: "voices",
        background: true,
      });
      return answer.voices ?? [];
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return [];
      throw error;
    }
  }

  async #ticket(room: string, signal: AbortSignal): Promise<string> {
    const path = `${roomPath(room)}/tickets`;
    return (await this.#call<{ ticket: string }>({ method: "POST", path, ...json({}), background: true, signal }))
      .ticket;
  }

  /** @throws {Problem} the service answered with an error. @throws {Unreachable} it did not answer. */
  async #call<T>(request: Request): Promise<T> {
    let key = this.#keys.current();
    let response = await this.#send(request, key);
    for (;;) {
      const why = keyRefusal(response, key);
      if (why === null || request.background) break;
      key = await this.#keys.refused(key, why);
      if (key === null) break;
      response = await this.#send(request, key);
    }
    if (response.status >= 200 && response.status < 300) return parsed(response.text) as T;
    throw problemOf(response);
  }

  /** Uses XMLHttpRequest: fetch reports no upload progress. */
  #send({ method, path, body, type, signal, onProgress }: Request, key: string | null): Promise<Response> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const abort = () => request.abort();
      request.open(method, new URL(path, this.#base));
      request.setRequestHeader("Accept", "application/json");
      if (type !== undefined) request.setRequestHeader("Content-Type", type);
      if (key !== null) request.setRequestHeader("Authorization", `Bearer ${key}`);
      if (onProgress) request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
      if (onProgress === undefined) request.timeout = 20_000; // an upload may take any time
      request.onload = () => resolve({ status: request.status, text: request.responseText });
      request.onerror = request.ontimeout = () => reject(new Unreachable());
      request.onabort = () => reject(new DOMException("aborted", "AbortError"));
      request.onloadend = () => signal?.removeEventListener("abort", abort);
      if (signal?.aborted) return reject(new DOMException("aborted", "AbortError"));
      signal?.addEventListener("abort", abort);
      request.send(body ?? null);
    });
  }
}

function roomPath(room: string): string {
  return `rooms/${encodeURIComponent(room)}`;
}

function json(value: unknown): { body: string; type: string } {
  return { body: JSON.stringify(value), type: "application/json" };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Null where the service did not refuse the key. */
function keyRefusal({ status, text }: Response, key: string | null): KeyRefusal | null {
  if (status === 401) return key === null ? "missing" : "unknown";
  const { type } = parsed(text) as ProblemDetails;
  return status === 403 && type === "not-this-room" ? "other-rooms" : null;
}

function problemOf({ status, text }: Response): Problem {
  const details = parsed(text) as ProblemDetails;
  const otherwise = status >= 500 ? `The service has a problem (${status}).` : `The service refused this (${status}).`;
  const message = viewerMessage(details, otherwise);
  if (details.detail !== undefined && details.detail !== message) logForOperator(details.detail);
  return new Problem(status, message);
}
