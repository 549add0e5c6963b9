import { expect, test } from "vitest";
import type { Segment } from "../src/core/segments.ts";
import { initial, Stage } from "../src/core/stage.ts";
import { clock, errorOf, megabytes, statusLine, titleOf } from "../src/core/words.ts";

test.each([
  [0, "0:00"],
  [0.8, "0.8 s"],
  [3.9, "0:03"],
  [84.25, "1:24"],
  [3723, "1:02:03"],
])("%d seconds are %s", (seconds, text) => {
  expect(clock(seconds)).toBe(text);
});

test("sizes", () => {
  expect([megabytes(10), megabytes(124_000), megabytes(57_600_000)]).toEqual(["1 kB", "124 kB", "57.6 MB"]);
});

test("every stage has a line of its own", () => {
  const lines = Object.values(Stage).map((stage) => statusLine({ ...initial(null), stage }));
  expect(new Set(lines).size).toBe(lines.length);
});

test("a segment is called by its text, its name, what this page called it, or its kind", () => {
  const called = (source: Segment["source"], given?: string) => titleOf({ source } as Segment, given);
  expect(called({ kind: "text", text: "Hello", name: "n" })).toBe("Hello");
  expect(called({ kind: "file", name: "a.wav" }, "b.wav")).toBe("a.wav");
  expect(called({ kind: "file", name: null }, "b.wav")).toBe("b.wav");
  expect(called({ kind: "live" })).toBe("Live sound");
});

test("an error is a sentence, in whichever form it comes", () => {
  expect(errorOf({ error: { detail: "No avatar." } } as Segment)).toBe("No avatar.");
  expect(errorOf({ error: "No avatar." } as Segment)).toBe("No avatar.");
  expect(errorOf({ error: null } as Segment)).toBe("");
});
