/** One session in a room: joins it, joins it again after the connection was lost, and ends once. */

import type { CaptionState } from "../core/captions.ts";
import { Phase, type Store } from "../core/phase.ts";
import type { Api } from "./api.ts";
import { type ConnectionListener, type Media, RoomConnection } from "./connection.ts";
import { isAborted, messageOf, Problem } from "./errors.ts";

export interface SessionListener {
  agent(present: boolean): void;
  media(media: Media | null): void;
  activeSpeaker(speaking: boolean): void;
  caption(id: string, text: string, state: CaptionState): void;
  soundBlocked(blocked: boolean): void;
  viewers(count: number): void;
}

/** Milliseconds. livekit-client has already tried for about a minute when this begins. */
const REJOIN_FOR = 120_000;
const REJOIN_EVERY = 3_000;

export class Session {
  readonly #api: Api;
  readonly #store: Store;
  readonly #listener: SessionListener;
  #connection: RoomConnection | null = null;
  #running: AbortController | null = null;

  constructor(api: Api, store: Store, listener: SessionListener) {
    this.#api = api;
    this.#store = store;
    this.#listener = listener;
  }

  /** Call it within a click: a browser then allows sound. */
  join(): void {
    this.#running?.abort();
    this.#running = new AbortController();
    this.#store.dispatch({ kind: "join" });
    void this.#run(this.#running.signal);
  }

  leave(): void {
    this.#running?.abort();
    this.#end("You left the room.");
  }

  async allowSound(): Promise<void> {
    await this.#connection?.allowSound();
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
    await this.#connection?.leave();
    signal.throwIfAborted(); // the abort event is over: the listener below would miss it
    const connection = new RoomConnection(this.#connectionListener(signal), opened.avatar);
    this.#connection = connection;
    const leave = () => void connection.leave();
    signal.addEventListener("abort", leave, { once: true });
    try {
      await connection.join(opened.livekit_url, opened.token);
      signal.throwIfAborted();
    } catch (error) {
      signal.removeEventListener("abort", leave); // the next attempt has its own connection
      await connection.leave();
      throw error;
    }
    this.#store.dispatch({ kind: "connected" });
  }

  #connectionListener(signal: AbortSignal): ConnectionListener {
    const { agent, media, activeSpeaker, caption, soundBlocked, viewers } = this.#listener;
    return {
      agent,
      media,
      activeSpeaker,
      caption,
      soundBlocked,
      viewers,
      lost: () => this.#store.dispatch({ kind: "lost" }),
      restored: () => this.#store.dispatch({ kind: "connected" }),
      closed: (reason, final) => {
        if (signal.aborted) return;
        if (final) this.#end(reason);
        else void this.#rejoin(signal, reason);
      },
    };
  }

  /** Opens the room again: its token may have expired, and the room may be gone. */
  async #rejoin(signal: AbortSignal, reason: string): Promise<void> {
    this.#store.dispatch({ kind: "lost" });
    this.#listener.media(null);
    const giveUpAt = performance.now() + REJOIN_FOR;
    while (!signal.aborted && performance.now() < giveUpAt) {
      try {
        await this.#connect(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.status < 500 && error.status !== 429) return this.#end(error.message);
      }
      await new Promise((resolve) => setTimeout(resolve, REJOIN_EVERY));
    }
    if (!signal.aborted) this.#end(`${reason} It did not come back.`);
  }

  #end(reason: string): void {
    this.#listener.media(null);
    if (this.#store.state.phase !== Phase.Ended) this.#store.dispatch({ kind: "ended", reason });
  }
}
