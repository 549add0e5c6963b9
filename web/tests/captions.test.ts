import { expect, test } from "vitest";
import { type Caption, type CaptionState, sentenceState, visibleLines, withCaption } from "../src/core/captions.ts";

function caption(id: string, text: string, at: number, state: CaptionState = "done"): Caption {
  return { id, text, state, at };
}

function shown(now: number, ...captions: Caption[]): string[] {
  return visibleLines(captions.reduce<ReturnType<typeof withCaption>>(withCaption, []), now).map(({ text }) => text);
}

test("a later text with the same id replaces the earlier one", () => {
  const other = caption("b", "Then", 5, "arriving");
  expect(shown(20, caption("a", "Hel", 0, "arriving"), other, caption("a", "Hello", 10))).toEqual(["Hello", "Then"]);
});

test("at most two lines are shown", () => {
  expect(shown(5, caption("a", "1", 0), caption("b", "2", 1), caption("c", "3", 2))).toEqual(["2", "3"]);
});

test("a line without an end stays long enough to be read, an open one until it counts as abandoned", () => {
  const short = caption("a", "Hi.", 0);
  const long = caption("b", "A much longer line, which takes a while to read.", 0);
  const open = caption("c", "And", 0, "arriving");
  expect(shown(1_000, short, long)).toEqual(["Hi.", long.text]);
  expect(shown(4_000, short, long)).toEqual([long.text]);
  expect(shown(10_000, long, open)).toEqual(["And"]);
  expect(shown(60_000, long, open)).toEqual([]);
});

test("a sentence stays while it is spoken, and a moment longer", () => {
  const begun = caption("a", "3.141592653589793", 0, "playing");
  const said = caption("a", begun.text, 40_000, "said");
  expect(shown(39_000, begun)).toEqual([begun.text]);
  expect(shown(41_000, begun, said)).toEqual([begun.text]);
  expect(shown(41_500, begun, said)).toEqual([]);
  expect(shown(60_000, begun)).toEqual([]);
});

test("a sentence that was cut off disappears at once", () => {
  const begun = caption("a", "A long sentence of which little was heard.", 0, "playing");
  expect(shown(500, begun, caption("a", begun.text, 500, "cut"))).toEqual([]);
});

test("a sentence whose beginning was missed stays long enough to be read", () => {
  const said = caption("a", "Hello there.", 0, "said");
  expect(shown(2_500, said)).toEqual(["Hello there."]);
  expect(shown(4_000, said)).toEqual([]);
});

test("a sentence that continues after another one is shown below it", () => {
  const first = caption("a", "First.", 0, "playing");
  const cut = caption("a", "First.", 100, "cut");
  const other = caption("b", "Between.", 100, "playing");
  const done = caption("b", "Between.", 900, "said");
  expect(shown(1_000, first, cut, other, done, { ...first, at: 1_000 })).toEqual(["Between.", "First."]);
});

test("an empty line is not shown", () => {
  expect(shown(0, caption("a", "  ", 0))).toEqual([]);
});

test("a sentence state is read from our sender's attribute only", () => {
  expect(sentenceState({ "mouthpiece.caption": "cut" })).toBe("cut");
  expect(sentenceState({ "mouthpiece.caption": "sung" })).toBeNull();
  expect(sentenceState({ "lk.transcription_final": "false" })).toBeNull();
  expect(sentenceState(undefined)).toBeNull();
});
