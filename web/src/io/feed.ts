/** Where the list of segments comes from: polling today. `SegmentFeed` is all that the rest of the page uses. */

import { pollDelay } from "../core/poll-delay.ts";
import type { SegmentPage } from "../core/segment.ts";
import type { Api } from "./api.ts";
import { isAborted, Problem } from "./errors.ts";

export interface FeedListener {
  /** The newest segments of the room. */
  page(page: SegmentPage): void;
  /** Whether a segment of the room is queued, playing or paused. */
  isLive(): boolean;
  /** The outcome of a request: null, or the error. */
  health(error: unknown): void;
}

export interface SegmentFeed {
  start(room: string): void;
  /** Asks at once: something has just happened. */
  refresh(): void;
  stop(): void;
}

export const PAGE_SIZE = 20;

export class PollingFeed implements SegmentFeed {
  readonly #api: Api;
  readonly #listener: FeedListener;
  #running: AbortController | null = null;
  #endPause: () => void = () => {};
  #refreshDue = false;

  constructor(api: Api, listener: FeedListener) {
    this.#api = api;
    this.#listener = listener;
    document.addEventListener("visibilitychange", () => this.refresh());
    window.addEventListener("online", () => this.refresh());
  }

  start(room: string): void {
    this.stop();
    this.#running = new AbortController();
    void this.#run(room, this.#running.signal);
  }

  refresh(): void {
    this.#refreshDue = true;
    this.#endPause();
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#endPause();
  }

  async #run(room: string, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      this.#refreshDue = false;
      try {
        this.#listener.page(await this.#api.segments(room, { limit: PAGE_SIZE }, signal));
        failures = 0;
        this.#listener.health(null);
      } catch (error) {
        if (isAborted(error)) return;
        const empty = error instanceof Problem && error.status === 404; // the room has never had a segment
        if (empty) this.#listener.page({ segments: [], next: null });
        failures = empty ? 0 : failures + 1;
        this.#listener.health(empty ? null : error);
      }
      if (this.#refreshDue) continue;
      await this.#pause(pollDelay({ live: this.#listener.isLive(), hidden: document.hidden, failures }));
    }
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
