import { describe, expect, test } from "vitest";
import { type CaptionUpdate, LateCaptions, sentenceAt } from "../src/core/late-captions.ts";
import type { Segment, SegmentState } from "../src/core/segment.ts";

const TEXT = "One two three. Four five six. Seven eight.";

function segment(id: string, position: number, state: SegmentState = "playing", duration: number | null = 42): Segment {
  return { id, state, position, source: { kind: "text", text: TEXT }, audio: { duration } } as Segment;
}

function joined(...segments: readonly Segment[]): { late: LateCaptions; shown: readonly CaptionUpdate[] } {
  const late = new LateCaptions();
  late.joined();
  return { late, shown: late.listed(segments, 0) };
}

test("the sentence follows from the position, with or without a known duration", () => {
  expect([0, 14, 16, 41].map((position) => sentenceAt(segment("a", position)))).toEqual([
    "One two three.",
    "One two three.",
    "Four five six.",
    "Seven eight.",
  ]);
  expect(sentenceAt(segment("a", 1.2, "playing", null))).toBe("Four five six.");
});

describe("on joining", () => {
  test("the sentence that is being said is shown and moves on with the position", () => {
    const { late, shown } = joined(segment("a", 1));
    expect(shown).toEqual([{ id: "late-a", text: "One two three.", state: "playing" }]);
    expect(late.listed([segment("a", 5)], 1_000)).toEqual([]);
    expect(late.listed([segment("a", 16)], 2_000)).toEqual([
      { id: "late-a", text: "Four five six.", state: "playing" },
    ]);
  });

  test("a segment that begins later has a moment for its own captions", () => {
    const { late } = joined();
    expect(late.listed([segment("b", 1)], 1_000)).toEqual([]);
    expect(late.listed([segment("b", 2)], 2_900)).toEqual([]);
    expect(late.listed([segment("b", 3)], 3_000)).toEqual([{ id: "late-b", text: "One two three.", state: "playing" }]);
  });

  test("a segment whose captions arrive needs no estimate", () => {
    const { late } = joined();
    late.arrived({ id: "b-0", text: "One two three.", state: "playing" });
    late.listed([segment("b", 1)], 1_000);
    expect(late.listed([segment("b", 30)], 60_000)).toEqual([]);
  });

  test("joining again shows what plays, though its captions had arrived before", () => {
    const { late } = joined();
    late.arrived({ id: "a-0", text: "One two three.", state: "playing" });
    late.joined();
    expect(late.listed([segment("a", 16)], 0)[0]?.text).toBe("Four five six.");
  });

  test("what waits or is a sound file shows nothing", () => {
    expect(joined(segment("a", 0, "queued")).shown).toEqual([]);
    expect(joined({ ...segment("a", 1), source: { kind: "file" } }).shown).toEqual([]);
  });
});

describe("the estimate ends", () => {
  test("with the next sentence's caption", () => {
    const next: CaptionUpdate = { id: "a-1", text: "Four five six.", state: "playing" };
    expect(joined(segment("a", 1)).late.arrived(next)).toEqual([
      { id: "late-a", text: "One two three.", state: "said" },
      next,
    ]);
  });

  test("at once where the caption has the same text", () => {
    const same: CaptionUpdate = { id: "a-0", text: "One two three.", state: "playing" };
    const [first] = joined(segment("a", 1)).late.arrived(same);
    expect(first?.state).toBe("cut");
  });

  test.each(["said", "cut"] as const)("with the %s of its sentence, which is not shown a second time", (state) => {
    const end: CaptionUpdate = { id: "a-0", text: "One two three.", state };
    expect(joined(segment("a", 1)).late.arrived(end)).toEqual([{ id: "late-a", text: "One two three.", state }]);
  });

  test.each([
    ["finished", "said"],
    ["interrupted", "cut"],
  ] as const)("with its segment: %s", (state, caption) => {
    const [only] = joined(segment("a", 1)).late.listed([segment("a", 1, state)], 1_000);
    expect(only).toMatchObject({ id: "late-a", state: caption });
  });

  test("for good: later captions of the segment pass unchanged", () => {
    const { late } = joined(segment("a", 1));
    late.arrived({ id: "a-1", text: "Four five six.", state: "playing" });
    const said: CaptionUpdate = { id: "a-1", text: "Four five six.", state: "said" };
    expect(late.arrived(said)).toEqual([said]);
    expect(late.listed([segment("a", 20)], 10_000)).toEqual([]);
  });

  test("while the position is not known, and goes on when it is known again", () => {
    const { late } = joined(segment("a", 1));
    expect(late.pause()).toEqual([{ id: "late-a", text: "One two three.", state: "cut" }]);
    expect(late.pause()).toEqual([]);
    expect(late.listed([segment("a", 1)], 5_000)).toEqual([{ id: "late-a", text: "One two three.", state: "playing" }]);
  });
});
