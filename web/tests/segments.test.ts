import { describe, expect, test } from "vitest";
import { merge, pollDelay, positionAt, put, type Segment, type SegmentState, see } from "../src/core/segments.ts";

function segment(number: number, state: SegmentState = "finished", position = 0): Segment {
  return {
    id: `seg_${number}`,
    state,
    receipt: "none",
    source: { kind: "file" },
    audio: { duration: 10 },
    position,
    created_at: `2026-01-01T00:00:0${number}Z`,
    error: null,
  };
}

const ids = (segments: readonly Segment[]) => segments.map(({ id }) => id);

describe("the list", () => {
  test("takes the new state of what it knows and what is new, and keeps what is older than the page", () => {
    const known = [segment(3, "playing"), segment(2), segment(1)];
    const merged = merge(known, { segments: [segment(4, "queued"), segment(3)], next: "seg_3" });
    expect(ids(merged)).toEqual(["seg_4", "seg_3", "seg_2", "seg_1"]);
    expect(merged[1]?.state).toBe("finished");
  });

  test("lets go of what the service has purged", () => {
    const known = [segment(3), segment(2), segment(1)];
    expect(ids(merge(known, { segments: [segment(3), segment(1)], next: "seg_1" }))).toEqual(["seg_3", "seg_1"]);
    expect(merge(known, { segments: [], next: null })).toEqual([]);
  });

  test("shows an answer at once: in its place, or on top", () => {
    const known = [segment(2, "queued"), segment(1)];
    expect(put(known, segment(2, "cancelled"))[0]?.state).toBe("cancelled");
    expect(ids(put(known, segment(3)))).toEqual(["seg_3", "seg_2", "seg_1"]);
  });
});

describe("the position", () => {
  test("goes on between two answers, to the end at most", () => {
    const playing = segment(1, "playing", 4);
    const seen = see(undefined, playing, 1_000);
    expect(positionAt(playing, seen, 2_500)).toBe(5.5);
    expect(positionAt(playing, seen, 60_000)).toBe(10);
  });

  test("does not jump back when the service repeats an old one", () => {
    const playing = segment(1, "playing", 0);
    const seen = see(see(undefined, playing, 1_000), playing, 3_000);
    expect(positionAt(playing, seen, 3_500)).toBe(2.5);
  });

  test("follows a new one, and stands still where nothing plays", () => {
    const seen = see(undefined, segment(1, "playing", 0), 0);
    const corrected = segment(1, "playing", 3);
    expect(positionAt(corrected, see(seen, corrected, 4_000), 4_000)).toBe(3);
    const paused = segment(1, "paused", 3);
    expect(positionAt(paused, see(seen, paused, 4_000), 9_000)).toBe(3);
  });
});

test("it asks often while something is live, seldom in the background, more and more seldom in vain", () => {
  const delays = [
    pollDelay({ live: true, hidden: false, failures: 0 }),
    pollDelay({ live: false, hidden: false, failures: 0 }),
    pollDelay({ live: true, hidden: true, failures: 0 }),
    pollDelay({ live: false, hidden: true, failures: 0 }),
  ];
  expect(delays).toEqual([1_000, 4_000, 5_000, 15_000]);
  const vain = [1, 2, 3, 4, 5, 9].map((failures) => pollDelay({ live: true, hidden: false, failures }));
  expect(vain).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});
