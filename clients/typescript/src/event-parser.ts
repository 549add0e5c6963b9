/** Reads server-sent events (WHATWG HTML, 9.2.6) piece by piece. No I/O. */

import type { components } from "./schema.js";

/** Something that happened, with the segment as it stood then. */
export type SegmentEvent = components["schemas"]["Event"];

/** Events between the two ids are missing: the log no longer reaches back. */
export interface Gap {
  readonly type: "gap";
  readonly after: string;
  readonly reached: string;
}

export type StreamEvent = SegmentEvent | Gap;

export class EventParser {
  #text = "";
  #data: string[] = [];
  #id: string | null = null;
  /** The id of the last event: a stream that is opened again goes on after it. */
  last: string | null;

  constructor(last: string | null) {
    this.last = last;
  }

  /** Takes a piece of the stream; returns the events that it completes. */
  take(piece: string): StreamEvent[] {
    const lines = (this.#text + piece).split("\n");
    this.#text = lines.pop() ?? "";
    const events: StreamEvent[] = [];
    for (const line of lines) {
      const event = this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (event !== null) events.push(event);
    }
    return events;
  }

  /** The stream was cut: what was not complete comes again. */
  restart(): void {
    this.#text = "";
    this.#data = [];
    this.#id = null;
  }

  #line(line: string): StreamEvent | null {
    if (line !== "") {
      const colon = line.indexOf(":");
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name === "data") this.#data.push(value);
      else if (name === "id") this.#id = value;
      return null;
    }
    const data = this.#data;
    if (this.#id !== null) this.last = this.#id; // also without data: where a stream begins
    this.#data = [];
    this.#id = null;
    return data.length === 0 ? null : (JSON.parse(data.join("\n")) as StreamEvent);
  }
}
