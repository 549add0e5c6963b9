import { expect, test } from "vitest";
import {
  clockStop,
  errorOf,
  formatDuration,
  formatSize,
  shortened,
  statusLine,
  titleOf,
  waitingHint,
} from "../src/core/labels.ts";
import { initial, Phase } from "../src/core/phase.ts";
import type { Segment } from "../src/core/segment.ts";

test.each([
  [0, "0:00"],
  [0.8, "0.8 s"],
  [3.9, "0:03"],
  [84.25, "1:24"],
  [3723, "1:02:03"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test("sizes are rounded", () => {
  expect([formatSize(10), formatSize(124_000), formatSize(57_600_000)]).toEqual(["1 kB", "124 kB", "57.6 MB"]);
});

test("every phase has its own status line", () => {
  const lines = Object.values(Phase).map((phase) => statusLine({ ...initial(null), phase }));
  expect(new Set(lines).size).toBe(lines.length);
});

test("a segment's title is its text, its name, the name of the uploaded file, or its kind", () => {
  const title = (source: Segment["source"], name?: string) => titleOf({ source } as Segment, name);
  expect(title({ kind: "text", text: "Hello", name: "n" })).toBe("Hello");
  expect(title({ kind: "file", name: "a.wav" }, "b.wav")).toBe("a.wav");
  expect(title({ kind: "file", name: null }, "b.wav")).toBe("b.wav");
  expect(title({ kind: "live" })).toBe("Live sound");
});

test("a segment's error is a sentence for viewers", () => {
  const shown = (error: Segment["error"]) => errorOf({ error } as Segment);
  expect(shown({ type: "avatar-timeout", detail: "No avatar came in time." })).toBe("No avatar came in time.");
  expect(shown({ type: "other", detail: "Set AVATAR_ID." })).toBe("It could not be said.");
  expect(shown(null)).toBe("");
});

test("no clock runs while the position of what plays is not known", () => {
  const listening = { ...initial("demo"), phase: Phase.Listening };
  expect(clockStop(listening, true)).toBeNull();
  expect(clockStop(listening, false)).toBe("last known");
  expect(clockStop({ ...listening, stalled: true }, true)).toBe("picture stopped");
  expect(clockStop({ ...listening, phase: Phase.Coming }, true)).toBe("avatar away");
  expect(clockStop({ ...listening, phase: Phase.Reconnecting }, true)).toBe("connection lost");
});

test("a long title is shortened within a sentence", () => {
  expect(shortened("Good morning!")).toBe("Good morning!");
  expect(shortened("The lighthouse keeper climbed the stairs every evening.")).toBe(
    "The lighthouse keeper climbed the stair…",
  );
});

test("after a minute without an avatar the page says what may be missing", () => {
  const coming = { ...initial("demo"), phase: Phase.Coming };
  expect(waitingHint({ ...coming, wait: "overdue" })).toBe("");
  expect(waitingHint({ ...coming, wait: "missing" })).toContain("no worker is running");
  expect(waitingHint({ ...coming, wait: "missing", agent: true })).toContain("Its agent is here");
});
