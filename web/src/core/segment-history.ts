/** The segments of a room as far as the page has loaded them: the newest page, and older ones on request. */

import { isOver, merge, put, type Segment, type SegmentPage } from "./segment.ts";

export class SegmentHistory {
  readonly #changed: () => void;
  #segments: readonly Segment[] = [];
  #names: ReadonlyMap<string, string> = new Map();
  #cursor: string | null = null;
  #olderLoaded = false;

  /** Calls `changed` after each change. */
  constructor(changed: () => void) {
    this.#changed = changed;
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

  get isLive(): boolean {
    return this.#segments.some((segment) => !isOver(segment));
  }

  get isPlaying(): boolean {
    return this.#segments.some(({ state }) => state === "playing" || state === "paused");
  }

  get waiting(): readonly Segment[] {
    return this.#segments.filter(({ state }) => state === "queued");
  }

  /** Takes the newest page. */
  update(page: SegmentPage): void {
    this.#segments = merge(this.#segments, page);
    if (!this.#olderLoaded || page.next === null) this.#cursor = page.next;
    this.#changed();
  }

  /** Takes the page at `cursor`. */
  append(page: SegmentPage): void {
    const known = new Set(this.#segments.map(({ id }) => id));
    this.#olderLoaded = true;
    this.#cursor = page.next;
    this.#segments = [...this.#segments, ...page.segments.filter(({ id }) => !known.has(id))];
    this.#changed();
  }

  /** Takes one segment as the service has just answered with it. */
  put(segment: Segment, name?: string): void {
    if (name !== undefined) this.#names = new Map(this.#names).set(segment.id, name);
    this.#segments = put(this.#segments, segment);
    this.#changed();
  }
}
