/** The segments of a room as far as the page has loaded them: the newest page, and older ones on request. */

import { merge, type Observation, observe, positionAt, put, type Segment, type SegmentPage } from "./segment.ts";

export class SegmentHistory {
  readonly #changed: () => void;
  #segments: readonly Segment[] = [];
  #names: ReadonlyMap<string, string> = new Map();
  #cursor: string | null = null;
  #olderLoaded = false;
  #observed: ReadonlyMap<string, Observation> = new Map();
  readonly #clock: () => number;

  /** Calls `changed` after each change. `clock` returns milliseconds and is monotonic. */
  constructor(changed: () => void, clock: () => number = () => performance.now()) {
    this.#changed = changed;
    this.#clock = clock;
  }

  /** Newest first. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** File names of the segments that this page uploaded, by segment id; the API may not repeat them. */
  get names(): ReadonlyMap<string, string> {
    return this.#names;
  }

  /** Where the next older page begins; null: everything is loaded. */
  get cursor(): string | null {
    return this.#cursor;
  }

  get isPlaying(): boolean {
    return this.#segments.some(({ state }) => state === "playing" || state === "paused");
  }

  get waiting(): readonly Segment[] {
    return this.#segments.filter(({ state }) => state === "queued");
  }

  /** The segments with the positions of now. */
  get current(): readonly Segment[] {
    const now = this.#clock();
    return this.#segments.map((segment) => {
      const observed = this.#observed.get(segment.id);
      return observed === undefined ? segment : { ...segment, position: positionAt(segment, observed, now) };
    });
  }

  /** Takes the newest page. */
  update(page: SegmentPage): void {
    if (!this.#olderLoaded || page.next === null) this.#cursor = page.next;
    this.#set(merge(this.#segments, page));
  }

  /** Takes the page at `cursor`. */
  append(page: SegmentPage): void {
    this.#olderLoaded = true;
    this.#cursor = page.next;
    this.#set(page.segments.reduce(put, this.#segments));
  }

  /** Takes one segment as the service has answered with it, or as it stood at an event. */
  put(segment: Segment, name?: string): void {
    if (name !== undefined) this.#names = new Map(this.#names).set(segment.id, name);
    this.#set(put(this.#segments, segment));
  }

  #set(segments: readonly Segment[]): void {
    const now = this.#clock();
    this.#segments = segments;
    this.#observed = new Map(segments.map((one) => [one.id, observe(this.#observed.get(one.id), one, now)]));
    this.#changed();
  }
}
