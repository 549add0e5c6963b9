/**
 * The page's state: one value with one writer, decided without DOM, network or clock.
 *
 *     landing ──join──▶ connecting ──connected──▶ coming ──avatar──▶ listening ⇄ speaking
 *        ▲                  │                       └───────┬────────────┘
 *        │               failed                     lost ▼  │ ▲ connected
 *     (reload)              ▼                      reconnecting │
 *                        failed                             ▼ ended
 *
 * `join` starts again from `ended` and `failed`. An event that means nothing in a phase leaves the state as it is.
 */

export const Phase = {
  /** Before the first join. */
  Landing: "landing",
  /** The room is being opened and joined. */
  Connecting: "connecting",
  /** In the room, without an avatar so far. */
  Coming: "coming",
  /** The avatar is there and silent. */
  Listening: "listening",
  /** The avatar is heard. */
  Speaking: "speaking",
  Reconnecting: "reconnecting",
  Ended: "ended",
  /** The join failed. */
  Failed: "failed",
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

export interface State {
  readonly phase: Phase;
  readonly room: string | null;
  /** Identity of the avatar while it is in the room and publishes a track. */
  readonly avatar: string | null;
  /** The avatar's sound is being heard. */
  readonly audible: boolean;
  /** An agent that is no avatar is in the room. */
  readonly agent: boolean;
  /** How long the room has had no avatar: at first null, then longer than usual, then so long that it may never come. */
  readonly wait: "overdue" | "missing" | null;
  /** An avatar has been in the room in this session. */
  readonly avatarSeen: boolean;
  /** The avatar's picture stands still. */
  readonly stalled: boolean;
  /** Why the session ended or the join failed: a sentence for the viewer. */
  readonly reason: string;
}

export type Event =
  | { readonly kind: "join" }
  | { readonly kind: "opened"; readonly room: string }
  | { readonly kind: "connected" }
  | { readonly kind: "avatar"; readonly identity: string | null }
  | { readonly kind: "agent"; readonly present: boolean }
  | { readonly kind: "overdue" }
  | { readonly kind: "missing" }
  | { readonly kind: "audible"; readonly audible: boolean }
  | { readonly kind: "stalled"; readonly stalled: boolean }
  | { readonly kind: "lost" }
  | { readonly kind: "ended"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

export function initial(room: string | null): State {
  const avatar = { avatar: null, avatarSeen: false, audible: false, stalled: false };
  return { phase: Phase.Landing, room, ...avatar, agent: false, wait: null, reason: "" };
}

/** In the room, or reconnecting to it: the controls make sense. */
export function isLive(phase: Phase): boolean {
  return isJoined(phase) || phase === Phase.Reconnecting;
}

/** In the room, and connected to it. */
export function isJoined(phase: Phase): boolean {
  return phase === Phase.Coming || phase === Phase.Listening || phase === Phase.Speaking;
}

/** The state after `event`; `state` itself where the event means nothing. */
export function decide(state: State, event: Event): State {
  const { phase } = state;
  switch (event.kind) {
    case "join":
      if (phase !== Phase.Landing && phase !== Phase.Ended && phase !== Phase.Failed) return state;
      return { ...initial(state.room), phase: Phase.Connecting };
    case "opened":
      return { ...state, room: event.room };
    case "connected":
      if (phase !== Phase.Connecting && phase !== Phase.Reconnecting) return state;
      return withJoinedPhase({ ...state, wait: null });
    case "avatar": {
      if (!isLive(phase) && phase !== Phase.Connecting) return state;
      const there = event.identity !== null;
      const after = {
        ...state,
        avatar: event.identity,
        audible: state.audible && there,
        avatarSeen: state.avatarSeen || there,
        stalled: state.stalled && there,
      };
      return isJoined(phase) ? withJoinedPhase(after) : after;
    }
    case "agent":
      return isLive(phase) || phase === Phase.Connecting ? { ...state, agent: event.present } : state;
    case "overdue":
    case "missing":
      return phase === Phase.Coming ? { ...state, wait: event.kind } : state;
    case "audible": {
      if (!isLive(phase)) return state;
      const after = { ...state, audible: event.audible && state.avatar !== null };
      return isJoined(phase) ? withJoinedPhase(after) : after;
    }
    case "stalled":
      return isLive(phase) ? { ...state, stalled: event.stalled && state.avatar !== null } : state;
    case "lost":
      return isJoined(phase) ? { ...state, phase: Phase.Reconnecting, audible: false } : state;
    case "ended":
      if (!isLive(phase) && phase !== Phase.Connecting) return state;
      return { ...initial(state.room), phase: Phase.Ended, reason: event.reason };
    case "failed":
      if (phase !== Phase.Connecting) return state;
      return { ...initial(state.room), phase: Phase.Failed, reason: event.reason };
  }
}

/** `state` in the room, with the phase that follows from `avatar` and `audible`. */
function withJoinedPhase(state: State): State {
  if (state.avatar === null) return { ...state, phase: Phase.Coming };
  return { ...state, phase: state.audible ? Phase.Speaking : Phase.Listening, wait: null };
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

  /** Calls `listener` after each event that changed the state. */
  subscribe(listener: (state: State, before: State) => void): void {
    this.#listeners.push(listener);
  }

  dispatch(event: Event): void {
    const before = this.#state;
    this.#state = decide(before, event);
    if (this.#state !== before) for (const listener of this.#listeners) listener(this.#state, before);
  }
}
