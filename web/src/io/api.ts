/** The service's HTTP API (docs/api.md), as far as the page needs it. */

import type { Segment, SegmentPage } from "../core/segments.ts";
import type { Voice } from "../core/voices.ts";
import { Trouble } from "./trouble.ts";

/** What the service answered instead: `application/problem+json` (RFC 9457). */
export class Problem extends Trouble {
  override readonly name = "Problem";
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** No answer at all. */
export class Unreachable extends Trouble {
  override readonly name = "Unreachable";

  constructor() {
    super("The service does not answer. Check that it runs and that this device can reach it.");
  }
}

export interface OpenedRoom {
  readonly room: string;
  readonly livekit_url: string;
  readonly token: string;
  /** Identity of the avatar to expect; null where the worker decides. */
  readonly avatar: string | null;
}

/** Where keys come from: `current` is tried first, `refused` asks for another and gives null when there is none. */
export interface Keys {
  current(): string | null;
  refused(key: string | null): Promise<string | null>;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: XMLHttpRequestBodyInit;
  readonly type?: string;
  readonly signal?: AbortSignal | undefined;
  /** Nobody has asked for it: no dialog for a key. */
  readonly background?: boolean;
  /** Bytes sent so far, and of how many. */
  readonly onProgress?: (sent: number, total: number) => void;
}

export class Api {
  readonly #base: URL;
  readonly #keys: Keys;

  constructor(base: URL, keys: Keys) {
    this.#base = base;
    this.#keys = keys;
  }

  openRoom(room: string | null, signal?: AbortSignal): Promise<OpenedRoom> {
    return this.#call({ method: "POST", path: "rooms", ...json(room === null ? {} : { room }), signal });
  }

  segments(room: string, about: { limit: number; after?: string }, signal?: AbortSignal): Promise<SegmentPage> {
    const query = new URLSearchParams({ limit: String(about.limit) });
    if (about.after !== undefined) query.set("after", about.after);
    return this.#call({ method: "GET", path: `${roomPath(room)}/segments?${query}`, background: true, signal });
  }

  /** Sends a sound file as a form, whose part carries the file's name and type. */
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

  /** Without a voice the service's default one speaks. */
  speakText(room: string, text: string, voice?: Voice): Promise<Segment> {
    const spoken = { text, voice: voice?.id, tts: voice?.provider ?? undefined };
    return this.#call({ method: "POST", path: `${roomPath(room)}/segments`, ...json(spoken) });
  }

  /** What was stopped, as it ended. */
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

  /** The voices that text can be spoken with; none where the service speaks no text. */
  async voices(): Promise<readonly Voice[]> {
    try {
      const answer = await this.#call<{ voices?: readonly Voice[] }>({
        method: "GET",
        path: "voices",
        background: true,
      });
      return answer.voices ?? [];
    } catch (error) {
      if (error instanceof Problem) return [];
      throw error;
    }
  }

  /** @throws {Problem} the service said no. @throws {Unreachable} it said nothing. */
  async #call<T>(request: Request): Promise<T> {
    let key = this.#keys.current();
    let answer = await this.#send(request, key);
    while (answer.status === 401 && !request.background) {
      key = await this.#keys.refused(key);
      if (key === null) break;
      answer = await this.#send(request, key);
    }
    if (answer.status >= 200 && answer.status < 300) return parsed(answer.text) as T;
    throw new Problem(answer.status, detailOf(answer));
  }

  /** XMLHttpRequest, because fetch cannot tell how much of a body has been sent. */
  #send({ method, path, body, type, signal, onProgress }: Request, key: string | null): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const abort = () => request.abort();
      request.open(method, new URL(path, this.#base));
      request.setRequestHeader("Accept", "application/json");
      if (type !== undefined) request.setRequestHeader("Content-Type", type);
      if (key !== null) request.setRequestHeader("Authorization", `Bearer ${key}`);
      if (onProgress) request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
      if (onProgress === undefined) request.timeout = 20_000; // an upload takes as long as it takes
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

export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
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

function detailOf({ status, text }: Answer): string {
  const { detail, title } = parsed(text) as { detail?: unknown; title?: unknown };
  if (typeof detail === "string" && detail !== "") return detail;
  if (typeof title === "string" && title !== "") return title;
  return status >= 500 ? `The service has a problem (${status}).` : `The service refused this (${status}).`;
}
