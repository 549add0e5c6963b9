/** Where the list of segments comes from: listed once, then kept by the room's stream of events (docs/api.md, Events). */

import { EventParser } from "../../../clients/typescript/src/event-parser.ts";
import { backoff } from "../core/backoff.ts";
import type { Segment, SegmentPage } from "../core/segment.ts";
import type { Api } from "./api.ts";
import { Problem } from "./errors.ts";

export interface FeedListener {
  /** The newest segments of the room. */
  page(page: SegmentPage): void;
  /** A segment as it stood at an event. */
  segment(segment: Segment): void;
  /** Whether the service answers: null, or the error of the last attempt to follow the room. */
  health(error: unknown): void;
}

export const PAGE_SIZE = 20;

/** Milliseconds after which a stream that ends is opened again at once; a shorter one counts as a failure. */
const STEADY = 2_000;

/** A hidden page follows nothing: browsers open six connections to a service, and a stream in each tab would take them. */
export class EventFeed {
  readonly #api: Api;
  readonly #listener: FeedListener;
  #running: AbortController | null = null;
  /** The list that is being asked for: no event is taken before it was. */
  #listing: Promise<void> = Promise.resolve();
  #list: () => void = () => {};
  #end: () => void = () => {};
  #endPause: () => void = () => {};

  constructor(api: Api, listener: FeedListener) {
    this.#api = api;
    this.#listener = listener;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#end() : this.retry()));
    window.addEventListener("online", () => this.retry());
  }

  start(room: string): void {
    this.stop();
    this.#running = new AbortController();
    void this.#run(room, this.#running.signal);
  }

  /** Ends the wait for the next attempt, if there is one: the service has just answered. */
  retry(): void {
    this.#endPause();
  }

  /** Asks for the list once: positions that went another way than the clock, such as a stalled one, are no events. */
  list(): void {
    this.#list();
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#endPause();
  }

  async #run(room: string, signal: AbortSignal): Promise<void> {
    const parser = new EventParser(null);
    let failures = 0;
    while (!signal.aborted) {
      if (document.hidden) {
        await this.#pause(null);
        continue;
      }
      let openedAt: number | null = null;
      try {
        await this.#follow(room, parser, signal, () => {
          openedAt = performance.now();
          this.#listener.health(null);
        });
      } catch (error) {
        if (signal.aborted) return;
        if (openedAt === null && !document.hidden) this.#listener.health(error); // one that was cut is opened again first
      }
      failures = openedAt !== null && performance.now() - openedAt >= STEADY ? 0 : failures + 1;
      if (!signal.aborted) await this.#pause(backoff(failures));
    }
  }

  /** Follows one stream to its end. It is opened before the list is asked for: what happens in between is in both. */
  async #follow(room: string, parser: EventParser, signal: AbortSignal, opened: () => void): Promise<void> {
    const connection = new AbortController();
    const end = () => connection.abort();
    this.#end = end;
    signal.addEventListener("abort", end, { once: true });
    try {
      parser.restart();
      const pieces = await this.#api.events(room, parser.last, connection.signal);
      const list = () => this.#page(room, connection.signal);
      await list();
      opened();
      this.#list = () => {
        this.#listing = list().catch(end); // the next attempt says what is wrong
      };
      for await (const piece of pieces) {
        for (const event of parser.take(piece)) {
          if (event.type === "gap") this.#list();
          await this.#listing;
          if ("segment" in event && event.segment != null) this.#listener.segment(event.segment);
        }
      }
    } finally {
      this.#list = () => {};
      signal.removeEventListener("abort", end);
      connection.abort();
    }
  }

  async #page(room: string, signal: AbortSignal): Promise<void> {
    try {
      this.#listener.page(await this.#api.segments(room, { limit: PAGE_SIZE }, signal));
    } catch (error) {
      if (!(error instanceof Problem && error.status === 404)) throw error;
      this.#listener.page({ segments: [], next: null }); // the room has never had a segment
    }
  }

  /** `delay` is in milliseconds; null: until it is ended. */
  #pause(delay: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = delay === null ? undefined : setTimeout(resolve, delay);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
