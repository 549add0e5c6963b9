import { describe, expect, test } from "vitest";
import { decide, type Event, initial, Stage, type State, Store } from "../src/core/stage.ts";

const AVATAR: Event = { kind: "avatar", identity: "avatar-mia" };
const GONE: Event = { kind: "avatar", identity: null };
const JOINED: readonly Event[] = [{ kind: "join" }, { kind: "opened", room: "demo" }, { kind: "connected" }];

function following(...events: readonly Event[]): State {
  return events.reduce(decide, initial(null));
}

describe("the way in", () => {
  test("a page begins on the landing", () => {
    expect(initial("demo")).toMatchObject({ stage: Stage.Landing, room: "demo" });
  });

  test("joining connects, and then the avatar is awaited", () => {
    expect(following({ kind: "join" }).stage).toBe(Stage.Connecting);
    expect(following(...JOINED)).toMatchObject({ stage: Stage.Coming, room: "demo" });
  });

  test("an avatar that is there already is not awaited", () => {
    const early = following({ kind: "join" }, AVATAR);
    expect(early.stage).toBe(Stage.Connecting);
    expect(decide(early, { kind: "connected" }).stage).toBe(Stage.Listening);
  });

  test("what fails before the room says why and begins again with join", () => {
    const failed = following({ kind: "join" }, { kind: "failed", reason: "No answer." });
    expect(failed).toMatchObject({ stage: Stage.Failed, reason: "No answer." });
    expect(decide(failed, { kind: "join" })).toMatchObject({ stage: Stage.Connecting, reason: "" });
  });

  test("an avatar that is late is said to be late until it comes", () => {
    const late = following(...JOINED, { kind: "overdue" });
    expect(late).toMatchObject({ stage: Stage.Coming, overdue: true });
    expect(decide(late, AVATAR)).toMatchObject({ stage: Stage.Listening, overdue: false });
  });
});

describe("in the room", () => {
  test("it speaks as long as its voice is heard", () => {
    const speaking = following(...JOINED, AVATAR, { kind: "voice", heard: true });
    expect(speaking.stage).toBe(Stage.Speaking);
    expect(decide(speaking, { kind: "voice", heard: false }).stage).toBe(Stage.Listening);
  });

  test("a voice without an avatar is nobody's", () => {
    expect(following(...JOINED, { kind: "voice", heard: true })).toMatchObject({ stage: Stage.Coming, voice: false });
  });

  test("an avatar that leaves in mid-speech is awaited again, in silence", () => {
    const gone = following(...JOINED, AVATAR, { kind: "voice", heard: true }, GONE);
    expect(gone).toMatchObject({ stage: Stage.Coming, voice: false });
    expect(decide(gone, AVATAR).stage).toBe(Stage.Listening);
  });

  test("a failure to join again, told late, does not end what goes on", () => {
    const listening = following(...JOINED, AVATAR);
    expect(decide(listening, { kind: "failed", reason: "late" })).toBe(listening);
  });
});

describe("a lost connection", () => {
  const lost = following(...JOINED, AVATAR, { kind: "lost" });

  test("comes back to where things stand then", () => {
    expect(lost.stage).toBe(Stage.Reconnecting);
    expect(decide(lost, { kind: "connected" }).stage).toBe(Stage.Listening);
    expect(decide(decide(lost, GONE), { kind: "connected" }).stage).toBe(Stage.Coming);
  });

  test("is not over because the avatar moves", () => {
    expect(decide(lost, AVATAR).stage).toBe(Stage.Reconnecting);
    expect(decide(lost, { kind: "voice", heard: true }).stage).toBe(Stage.Reconnecting);
  });

  test("may end, with its reason, in the same room", () => {
    const ended = decide(lost, { kind: "ended", reason: "The room was closed." });
    expect(ended).toEqual({ ...initial("demo"), stage: Stage.Ended, reason: "The room was closed." });
  });
});

describe("after the end", () => {
  const ended = following(...JOINED, AVATAR, { kind: "ended", reason: "You left the room." });

  test.each<Event>([AVATAR, GONE, { kind: "connected" }, { kind: "lost" }, { kind: "voice", heard: true }])(
    "nothing but join has a meaning: $kind",
    (event) => {
      expect(decide(ended, event)).toBe(ended);
    },
  );

  test("join begins again", () => {
    expect(decide(ended, { kind: "join" })).toMatchObject({ stage: Stage.Connecting, room: "demo", avatar: null });
  });
});

test("the store tells of changes only", () => {
  const store = new Store(initial(null));
  const told: string[] = [];
  store.subscribe((state, before) => told.push(`${before.stage}→${state.stage}`));
  store.dispatch({ kind: "lost" });
  store.dispatch({ kind: "join" });
  store.dispatch({ kind: "join" });
  expect(told).toEqual(["landing→connecting"]);
});
