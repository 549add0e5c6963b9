/**
 * What the page is doing: one value, one writer, decided without DOM, network or clock.
 *
 *     landing ──join──▶ connecting ──connected──▶ coming ──avatar──▶ listening ⇄ speaking
 *        ▲                  │                       └───────┬────────────┘
 *        │               failed                     lost ▼  │ ▲ connected
 *     (reload)              ▼                      reconnecting │
 *                        failed                             ▼ ended
 *
 * `ended` and `failed` begin again with `join`. An event that has no meaning in a stage changes nothing.
 */

export const Stage = {
  Landing: "landing",
  Connecting: "connecting",
  Coming: "coming",
  Listening: "listening",
  Speaking: "speaking",
  Reconnecting: "reconnecting",
  Ended: "ended",
  Failed: "failed",
} as const;
export type Stage = (typeof Stage)[keyof typeof Stage];

export interface State {
  readonly stage: Stage;
  readonly room: string | null;
  /** Identity of the avatar, as long as it is in the room and publishes something. */
  readonly avatar: string | null;
  /** Its sound is being heard. */
  readonly voice: boolean;
  /** The avatar has been awaited for longer than usual. */
  readonly overdue: boolean;
  /** Why it ended or failed: a sentence for a person. */
  readonly reason: string;
}

export type Event =
  | { readonly kind: "join" }
  | { readonly kind: "opened"; readonly room: string }
  | { readonly kind: "connected" }
  | { readonly kind: "avatar"; readonly identity: string | null }
  | { readonly kind: "overdue" }
  | { readonly kind: "voice"; readonly heard: boolean }
  | { readonly kind: "lost" }
  | { readonly kind: "ended"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

export function initial(room: string | null): State {
  return { stage: Stage.Landing, room, avatar: null, voice: false, overdue: false, reason: "" };
}

/** In the room, or on the way back into it: the controls make sense. */
export function isLive(stage: Stage): boolean {
  return isJoined(stage) || stage === Stage.Reconnecting;
}

function isJoined(stage: Stage): boolean {
  return stage === Stage.Coming || stage === Stage.Listening || stage === Stage.Speaking;
}

export function decide(state: State, event: Event): State {
  const { stage } = state;
  switch (event.kind) {
    case "join":
      if (stage !== Stage.Landing && stage !== Stage.Ended && stage !== Stage.Failed) return state;
      return { ...initial(state.room), stage: Stage.Connecting };
    case "opened":
      return { ...state, room: event.room };
    case "connected":
      if (stage !== Stage.Connecting && stage !== Stage.Reconnecting) return state;
      return settle({ ...state, overdue: false });
    case "avatar": {
      if (!isLive(stage) && stage !== Stage.Connecting) return state;
      const present = { ...state, avatar: event.identity, voice: state.voice && event.identity !== null };
      return isJoined(stage) ? settle(present) : present;
    }
    case "overdue":
      return stage === Stage.Coming ? { ...state, overdue: true } : state;
    case "voice": {
      if (!isLive(stage)) return state;
      const heard = { ...state, voice: event.heard && state.avatar !== null };
      return isJoined(stage) ? settle(heard) : heard;
    }
    case "lost":
      return isJoined(stage) ? { ...state, stage: Stage.Reconnecting, voice: false } : state;
    case "ended":
      if (!isLive(stage) && stage !== Stage.Connecting) return state;
      return { ...initial(state.room), stage: Stage.Ended, reason: event.reason };
    case "failed":
      if (stage !== Stage.Connecting) return state;
      return { ...initial(state.room), stage: Stage.Failed, reason: event.reason };
  }
}

/** The stage that the facts amount to, once in the room. */
function settle(state: State): State {
  if (state.avatar === null) return { ...state, stage: Stage.Coming };
  return { ...state, stage: state.voice ? Stage.Speaking : Stage.Listening, overdue: false };
}

/** Holds the state; `dispatch` is its only writer. */
export class Store {
  #state: State;
  readonly #listeners: ((state: State, before: State) => void)[] = [];

  constructor(state: State) {
    this.#state = state;
  }

  get state(): State {
    return this.#state;
  }

  subscribe(listener: (state: State, before: State) => void): void {
    this.#listeners.push(listener);
  }

  dispatch(event: Event): void {
    const before = this.#state;
    this.#state = decide(before, event);
    if (this.#state !== before) for (const listener of this.#listeners) listener(this.#state, before);
  }
}
