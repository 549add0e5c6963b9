import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { initial, Stage, Store } from "../src/core/stage.ts";
import type { Api } from "../src/io/api.ts";
import { Session } from "../src/io/session.ts";
import type { VisitListener } from "../src/io/visit.ts";

/** A connection whose ends the test decides on. */
class FakeVisit {
  static readonly all: FakeVisit[] = [];
  readonly listener: VisitListener;
  readonly leave = vi.fn(() => this.left);
  joined = false;
  left: Promise<void> = Promise.resolve();
  static refusal: Error | null = null;

  constructor(listener: VisitListener) {
    this.listener = listener;
    FakeVisit.all.push(this);
  }

  async join(): Promise<void> {
    if (FakeVisit.refusal) throw FakeVisit.refusal;
    this.joined = true;
  }
}

vi.mock("../src/io/visit.ts", () => ({
  get Visit() {
    return FakeVisit;
  },
}));

const settled = () => vi.advanceTimersByTimeAsync(0);

function started(): { session: Session; store: Store } {
  const store = new Store(initial("demo"));
  const openRoom = async () => ({ room: "demo", livekit_url: "ws://x", token: "t", avatar: null });
  const nothing = () => {};
  const listener = {
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
  FakeVisit.all.length = 0;
  FakeVisit.refusal = null;
});
afterEach(() => vi.useRealTimers());

describe("leaving", () => {
  test("leaves the connection there is", async () => {
    const { session, store } = started();
    session.join();
    await settled();
    expect(store.state.stage).toBe(Stage.Coming);
    session.leave();
    expect(FakeVisit.all[0]?.leave).toHaveBeenCalledOnce();
    expect(store.state.stage).toBe(Stage.Ended);
  });

  test("in the middle of coming back joins nowhere", async () => {
    const { session, store } = started();
    session.join();
    await settled();
    const first = FakeVisit.all[0] as FakeVisit;
    let gone = () => {};
    first.left = new Promise((resolve) => {
      gone = resolve;
    });
    first.listener.over("The connection was lost.", false);
    await settled(); // the room is opened again, the first connection is being left
    session.leave();
    gone();
    await settled();
    expect(FakeVisit.all.filter((visit) => visit !== first && visit.joined)).toEqual([]);
    expect(store.state.stage).toBe(Stage.Ended);
  });
});

describe("an attempt that fails", () => {
  test("leaves nothing open, and the next one comes back", async () => {
    const { session, store } = started();
    session.join();
    await settled();
    FakeVisit.refusal = new Error("not reached");
    FakeVisit.all[0]?.listener.over("The connection was lost.", false);
    await settled();
    const failed = FakeVisit.all[1] as FakeVisit;
    expect(failed.leave).toHaveBeenCalledOnce();
    expect(store.state.stage).toBe(Stage.Reconnecting);
    FakeVisit.refusal = null;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(store.state.stage).toBe(Stage.Coming);
    expect(FakeVisit.all.map(({ joined }) => joined)).toEqual([true, false, true]);
  });
});
