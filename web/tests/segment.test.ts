import { describe, expect, test } from "vitest";
import { merge, observe, positionAt, put, type Segment, type SegmentState } from "../src/core/segment.ts";

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

describe("the list of segments", () => {
  test("takes new states and new segments, and keeps those older than the page", () => {
    const known = [segment(3, "playing"), segment(2), segment(1)];
    const merged = merge(known, { segments: [segment(4, "queued"), segment(3)], next: "seg_3" });
    expect(ids(merged)).toEqual(["seg_4", "seg_3", "seg_2", "seg_1"]);
    expect(merged[1]?.state).toBe("finished");
  });

  test("drops what the service has purged", () => {
    const known = [segment(3), segment(2), segment(1)];
    expect(ids(merge(known, { segments: [segment(3), segment(1)], next: "seg_1" }))).toEqual(["seg_3", "seg_1"]);
    expect(merge(known, { segments: [], next: null })).toEqual([]);
  });

  test("takes a state that was overtaken by a later one for what it is", () => {
    expect(put([segment(1, "playing")], segment(1, "queued"))[0]?.state).toBe("playing");
    expect(put([segment(1, "finished")], segment(1, "playing"))[0]?.state).toBe("finished");
    expect(put([segment(1, "paused")], segment(1, "playing"))[0]?.state).toBe("playing");
    expect(put([segment(1, "playing", 5)], segment(1, "playing", 0))[0]?.position).toBe(5);
    expect(put([segment(1, "playing", 5)], segment(1, "interrupted", 4.8))[0]?.position).toBe(4.8);
  });

  test("takes a single segment in its place, or by its age", () => {
    const known = [segment(2, "queued"), segment(1)];
    expect(put(known, segment(2, "cancelled"))[0]?.state).toBe("cancelled");
    expect(ids(put(known, segment(3)))).toEqual(["seg_3", "seg_2", "seg_1"]);
    expect(ids(put(known, segment(0)))).toEqual(["seg_2", "seg_1", "seg_0"]);
  });
});

describe("the position of a segment", () => {
  test("goes on between two reports, to the end at most", () => {
    const playing = segment(1, "playing", 4);
    const observed = observe(undefined, playing, 1_000);
    expect(positionAt(playing, observed, 2_500)).toBe(5.5);
    expect(positionAt(playing, observed, 60_000)).toBe(10);
  });

  test("does not jump back when the service repeats it", () => {
    const playing = segment(1, "playing", 0);
    const observed = observe(observe(undefined, playing, 1_000), playing, 3_000);
    expect(positionAt(playing, observed, 3_500)).toBe(2.5);
  });

  test("follows a new report, and stands still while paused", () => {
    const observed = observe(undefined, segment(1, "playing", 0), 0);
    const corrected = segment(1, "playing", 3);
    expect(positionAt(corrected, observe(observed, corrected, 4_000), 4_000)).toBe(3);
    const paused = segment(1, "paused", 3);
    expect(positionAt(paused, observe(observed, paused, 4_000), 9_000)).toBe(3);
  });
});
