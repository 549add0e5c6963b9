import { describe, expect, test } from "vitest";
import { decide, type Event, initial, Phase, type State, Store } from "../src/core/phase.ts";

const AVATAR: Event = { kind: "avatar", identity: "avatar-mia" };
const GONE: Event = { kind: "avatar", identity: null };
const JOINED: readonly Event[] = [{ kind: "join" }, { kind: "opened", room: "demo" }, { kind: "connected" }];

function following(...events: readonly Event[]): State {
  return events.reduce(decide, initial(null));
}

describe("joining", () => {
  test("starts on the landing", () => {
    expect(initial("demo")).toMatchObject({ phase: Phase.Landing, room: "demo" });
  });

  test("connects, then waits for the avatar", () => {
    expect(following({ kind: "join" }).phase).toBe(Phase.Connecting);
    expect(following(...JOINED)).toMatchObject({ phase: Phase.Coming, room: "demo" });
  });

  test("does not wait for an avatar that is already there", () => {
    const early = following({ kind: "join" }, AVATAR);
    expect(early.phase).toBe(Phase.Connecting);
    expect(decide(early, { kind: "connected" }).phase).toBe(Phase.Listening);
  });

  test("that fails says why, and can be tried again", () => {
    const failed = following({ kind: "join" }, { kind: "failed", reason: "No answer." });
    expect(failed).toMatchObject({ phase: Phase.Failed, reason: "No answer." });
    expect(decide(failed, { kind: "join" })).toMatchObject({ phase: Phase.Connecting, reason: "" });
  });

  test("marks a late avatar as overdue, then as missing, until it comes", () => {
    const late = following(...JOINED, { kind: "overdue" });
    expect(late).toMatchObject({ phase: Phase.Coming, wait: "overdue" });
    expect(decide(late, { kind: "missing" }).wait).toBe("missing");
    expect(decide(late, AVATAR)).toMatchObject({ phase: Phase.Listening, wait: null });
    expect(decide(decide(late, AVATAR), { kind: "missing" }).wait).toBeNull();
  });
});

describe("in the room", () => {
  test("the avatar speaks while its sound is heard", () => {
    const speaking = following(...JOINED, AVATAR, { kind: "audible", audible: true });
    expect(speaking.phase).toBe(Phase.Speaking);
    expect(decide(speaking, { kind: "audible", audible: false }).phase).toBe(Phase.Listening);
  });

  test("sound without an avatar does not count", () => {
    expect(following(...JOINED, { kind: "audible", audible: true })).toMatchObject({
      phase: Phase.Coming,
      audible: false,
    });
  });

  test("an avatar that leaves while it speaks is waited for again", () => {
    const gone = following(...JOINED, AVATAR, { kind: "audible", audible: true }, GONE);
    expect(gone).toMatchObject({ phase: Phase.Coming, audible: false });
    expect(decide(gone, AVATAR).phase).toBe(Phase.Listening);
  });

  test("a late failure of an earlier join changes nothing", () => {
    const listening = following(...JOINED, AVATAR);
    expect(decide(listening, { kind: "failed", reason: "late" })).toBe(listening);
  });
});

describe("the picture", () => {
  const stalled = following(...JOINED, AVATAR, { kind: "stalled", stalled: true });

  test("stands still until it moves or the avatar leaves", () => {
    expect(stalled).toMatchObject({ phase: Phase.Listening, stalled: true });
    expect(decide(stalled, { kind: "stalled", stalled: false }).stalled).toBe(false);
    expect(decide(stalled, GONE).stalled).toBe(false);
  });

  test("of no avatar does not stand still", () => {
    expect(following(...JOINED, { kind: "stalled", stalled: true }).stalled).toBe(false);
  });
});

test("an avatar that has left was seen, until the session ends", () => {
  const gone = following(...JOINED, AVATAR, GONE);
  expect(gone.avatarSeen).toBe(true);
  expect(decide(gone, { kind: "ended", reason: "" }).avatarSeen).toBe(false);
});

describe("a lost connection", () => {
  const lost = following(...JOINED, AVATAR, { kind: "lost" });

  test("is restored to the phase that follows from the room", () => {
    expect(lost.phase).toBe(Phase.Reconnecting);
    expect(decide(lost, { kind: "connected" }).phase).toBe(Phase.Listening);
    expect(decide(decide(lost, GONE), { kind: "connected" }).phase).toBe(Phase.Coming);
  });

  test("is not restored by an event of the avatar", () => {
    expect(decide(lost, AVATAR).phase).toBe(Phase.Reconnecting);
    expect(decide(lost, { kind: "audible", audible: true }).phase).toBe(Phase.Reconnecting);
  });

  test("may end with a reason; the room stays known", () => {
    const ended = decide(lost, { kind: "ended", reason: "The room was closed." });
    expect(ended).toEqual({ ...initial("demo"), phase: Phase.Ended, reason: "The room was closed." });
  });
});

describe("after the end", () => {
  const ended = following(...JOINED, AVATAR, { kind: "ended", reason: "You left the room." });

  test.each<Event>([AVATAR, GONE, { kind: "connected" }, { kind: "lost" }, { kind: "audible", audible: true }])(
    "$kind changes nothing",
    (event) => {
      expect(decide(ended, event)).toBe(ended);
    },
  );

  test("join starts again", () => {
    expect(decide(ended, { kind: "join" })).toMatchObject({ phase: Phase.Connecting, room: "demo", avatar: null });
  });
});

test("the store reports changes only", () => {
  const store = new Store(initial(null));
  const changes: string[] = [];
  store.subscribe((state, before) => changes.push(`${before.phase}→${state.phase}`));
  store.dispatch({ kind: "lost" });
  store.dispatch({ kind: "join" });
  store.dispatch({ kind: "join" });
  expect(changes).toEqual(["landing→connecting"]);
});
