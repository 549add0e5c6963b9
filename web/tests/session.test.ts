import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { initial, Phase, Store } from "../src/core/phase.ts";
import type { Api } from "../src/io/api.ts";
import type { ConnectionListener } from "../src/io/connection.ts";
import { Session } from "../src/io/session.ts";

/** A connection that the test closes or makes fail. */
class FakeConnection {
  static readonly all: FakeConnection[] = [];
  readonly listener: ConnectionListener;
  readonly leave = vi.fn(() => this.left);
  joined = false;
  left: Promise<void> = Promise.resolve();
  static refusal: Error | null = null;

  constructor(listener: ConnectionListener) {
    this.listener = listener;
    FakeConnection.all.push(this);
  }

  async join(): Promise<void> {
    if (FakeConnection.refusal) throw FakeConnection.refusal;
    this.joined = true;
  }
}

vi.mock("../src/io/connection.ts", () => ({
  get RoomConnection() {
    return FakeConnection;
  },
}));

const settled = () => vi.advanceTimersByTimeAsync(0);

function started(): { session: Session; store: Store } {
  const store = new Store(initial("demo"));
  const openRoom = async () => ({ room: "demo", livekit_url: "ws://x", token: "t", avatar: null });
  const nothing = () => {};
  const listener = {
    agent: nothing,
    media: nothing,
    activeSpeaker: nothing,
    caption: nothing,
    soundBlocked: nothing,
    viewers: nothing,
  };
  return { session: new Session({ openRoom } as unknown as Api, store, listener), store };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeConnection.all.length = 0;
  FakeConnection.refusal = null;
});
afterEach(() => vi.useRealTimers());

describe("leaving", () => {
  test("closes the connection", async () => {
    const { session, store } = started();
    session.join();
    await settled();
    expect(store.state.phase).toBe(Phase.Coming);
    session.leave();
    expect(FakeConnection.all[0]?.leave).toHaveBeenCalledOnce();
    expect(store.state.phase).toBe(Phase.Ended);
  });

  test("while rejoining joins nothing more", async () => {
    const { session, store } = started();
    session.join();
    await settled();
    const first = FakeConnection.all[0] as FakeConnection;
    let gone = () => {};
    first.left = new Promise((resolve) => {
      gone = resolve;
    });
    first.listener.closed("The connection was lost.", false);
    await settled(); // the room is opened again, and the first connection is closing
    session.leave();
    gone();
    await settled();
    expect(FakeConnection.all.filter((connection) => connection !== first && connection.joined)).toEqual([]);
    expect(store.state.phase).toBe(Phase.Ended);
  });
});

describe("a failed attempt to rejoin", () => {
  test("closes its connection, and the next one succeeds", async () => {
    const { session, store } = started();
    session.join();
    await settled();
    FakeConnection.refusal = new Error("not reached");
    FakeConnection.all[0]?.listener.closed("The connection was lost.", false);
    await settled();
    const failed = FakeConnection.all[1] as FakeConnection;
    expect(failed.leave).toHaveBeenCalledOnce();
    expect(store.state.phase).toBe(Phase.Reconnecting);
    FakeConnection.refusal = null;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(store.state.phase).toBe(Phase.Coming);
    expect(FakeConnection.all.map(({ joined }) => joined)).toEqual([true, false, true]);
  });
});
