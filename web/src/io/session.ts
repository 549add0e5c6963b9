/** A stay in a room, over as many connections as it takes: joins, comes back after a loss, ends once. */

import type { Phase } from "../core/captions.ts";
import { Stage, type Store } from "../core/stage.ts";
import { type Api, isAborted, Problem } from "./api.ts";
import { messageOf } from "./trouble.ts";
import { type Media, Visit, type VisitListener } from "./visit.ts";

export interface SessionListener {
  media(media: Media | null): void;
  activeSpeaker(speaking: boolean): void;
  caption(id: string, text: string, phase: Phase): void;
  soundBlocked(blocked: boolean): void;
  viewers(count: number): void;
}

/** livekit-client itself has tried for about a minute before this begins. */
const COME_BACK_FOR = 120_000;
const COME_BACK_EVERY = 3_000;

export class Session {
  readonly #api: Api;
  readonly #store: Store;
  readonly #listener: SessionListener;
  #visit: Visit | null = null;
  #stay: AbortController | null = null;

  constructor(api: Api, store: Store, listener: SessionListener) {
    this.#api = api;
    this.#store = store;
    this.#listener = listener;
  }

  /** Call it within a click: a browser then allows sound. */
  join(): void {
    this.#stay?.abort();
    this.#stay = new AbortController();
    this.#store.dispatch({ kind: "join" });
    void this.#run(this.#stay.signal);
  }

  leave(): void {
    this.#stay?.abort();
    this.#end("You left the room.");
  }

  async allowSound(): Promise<void> {
    await this.#visit?.allowSound();
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await this.#connect(signal);
    } catch (error) {
      if (signal.aborted || isAborted(error)) return;
      this.#listener.media(null);
      this.#store.dispatch({ kind: "failed", reason: messageOf(error) });
    }
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const opened = await this.#api.openRoom(this.#store.state.room, signal);
    this.#store.dispatch({ kind: "opened", room: opened.room });
    await this.#visit?.leave();
    signal.throwIfAborted(); // a listener that is added now would not hear of it
    const visit = new Visit(this.#hear(signal), opened.avatar);
    this.#visit = visit;
    const leave = () => void visit.leave();
    signal.addEventListener("abort", leave, { once: true });
    try {
      await visit.join(opened.livekit_url, opened.token);
      signal.throwIfAborted();
    } catch (error) {
      signal.removeEventListener("abort", leave); // the next attempt has a visit of its own
      await visit.leave();
      throw error;
    }
    this.#store.dispatch({ kind: "connected" });
  }

  #hear(signal: AbortSignal): VisitListener {
    const { media, activeSpeaker, caption, soundBlocked, viewers } = this.#listener;
    return {
      media,
      activeSpeaker,
      caption,
      soundBlocked,
      viewers,
      lost: () => this.#store.dispatch({ kind: "lost" }),
      restored: () => this.#store.dispatch({ kind: "connected" }),
      over: (reason, final) => {
        if (signal.aborted) return;
        if (final) this.#end(reason);
        else void this.#comeBack(signal, reason);
      },
    };
  }

  /** With a new token: the old one may have run out, the room may have gone. */
  async #comeBack(signal: AbortSignal, reason: string): Promise<void> {
    this.#store.dispatch({ kind: "lost" });
    this.#listener.media(null);
    const giveUpAt = performance.now() + COME_BACK_FOR;
    while (!signal.aborted && performance.now() < giveUpAt) {
      try {
        await this.#connect(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.status < 500 && error.status !== 429) return this.#end(error.message);
      }
      await new Promise((resolve) => setTimeout(resolve, COME_BACK_EVERY));
    }
    if (!signal.aborted) this.#end(`${reason} It did not come back.`);
  }

  #end(reason: string): void {
    this.#listener.media(null);
    if (this.#store.state.stage !== Stage.Ended) this.#store.dispatch({ kind: "ended", reason });
  }
}
