/** Where the list of segments comes from. Polling today; whatever else tells of changes can take its place. */

import { pollDelay, type SegmentPage } from "../core/segments.ts";
import { type Api, isAborted, Problem } from "./api.ts";

export interface FeedSink {
  /** The newest segments of the room. */
  page(page: SegmentPage): void;
  /** Something of the room is queued or playing. */
  isLive(): boolean;
  /** The service answers (null), or why it is no help. */
  health(trouble: unknown): void;
}

export interface SegmentFeed {
  start(room: string): void;
  /** Something has just happened: look now. */
  poke(): void;
  stop(): void;
}

export const PAGE_SIZE = 20;

export class PollingFeed implements SegmentFeed {
  readonly #api: Api;
  readonly #sink: FeedSink;
  #running: AbortController | null = null;
  #wake: () => void = () => {};
  #poked = false;

  constructor(api: Api, sink: FeedSink) {
    this.#api = api;
    this.#sink = sink;
    document.addEventListener("visibilitychange", () => this.poke());
    window.addEventListener("online", () => this.poke());
  }

  start(room: string): void {
    this.stop();
    this.#running = new AbortController();
    void this.#run(room, this.#running.signal);
  }

  poke(): void {
    this.#poked = true;
    this.#wake();
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#wake();
  }

  async #run(room: string, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      this.#poked = false;
      try {
        this.#sink.page(await this.#api.segments(room, { limit: PAGE_SIZE }, signal));
        failures = 0;
        this.#sink.health(null);
      } catch (error) {
        if (isAborted(error)) return;
        const empty = error instanceof Problem && error.status === 404; // nothing was ever said in this room
        if (empty) this.#sink.page({ segments: [], next: null });
        failures = empty ? 0 : failures + 1;
        this.#sink.health(empty ? null : error);
      }
      if (!this.#poked) await this.#pause(pollDelay({ live: this.#sink.isLive(), hidden: document.hidden, failures }));
    }
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
