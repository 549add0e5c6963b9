import { expect, test } from "vitest";
import type { Segment, SegmentState } from "../src/core/segment.ts";
import { SegmentHistory } from "../src/core/segment-history.ts";

function segment(number: number, state: SegmentState = "finished"): Segment {
  return { id: `seg_${number}`, state, created_at: `2026-01-01T00:00:0${number}Z` } as Segment;
}

const ids = ({ segments }: SegmentHistory) => segments.map(({ id }) => id);

function loaded(...newest: readonly Segment[]): SegmentHistory {
  const history = new SegmentHistory(() => {});
  history.update({ segments: newest, next: newest.at(-1)?.id ?? null });
  return history;
}

test("older pages are added below, without repeating what is there", () => {
  const history = loaded(segment(4), segment(3));
  history.append({ segments: [segment(3), segment(2)], next: "seg_2" });
  expect(ids(history)).toEqual(["seg_4", "seg_3", "seg_2"]);
  expect(history.cursor).toBe("seg_2");
});

test("a new first page keeps the cursor of the older ones", () => {
  const history = loaded(segment(4), segment(3));
  history.append({ segments: [segment(2)], next: "seg_2" });
  history.update({ segments: [segment(5), segment(4)], next: "seg_4" });
  expect(history.cursor).toBe("seg_2");
  history.update({ segments: [segment(5)], next: null });
  expect(history.cursor).toBeNull();
});

test("a segment that this page uploaded has the file's name", () => {
  let changes = 0;
  const history = new SegmentHistory(() => changes++);
  history.put(segment(1, "queued"), "greeting.wav");
  expect(history.names.get("seg_1")).toBe("greeting.wav");
  expect(changes).toBe(1);
});

test("playing and waiting follow from the states", () => {
  const facts = ({ isPlaying, waiting }: SegmentHistory) => [isPlaying, waiting.length];
  expect(facts(loaded(segment(2), segment(1)))).toEqual([false, 0]);
  expect(facts(loaded(segment(2, "queued"), segment(1)))).toEqual([false, 1]);
  expect(facts(loaded(segment(2, "queued"), segment(1, "paused")))).toEqual([true, 1]);
});

test("the position of what plays goes on between two events", () => {
  let now = 1_000;
  const history = new SegmentHistory(
    () => {},
    () => now,
  );
  history.put({ ...segment(1, "playing"), position: 4 });
  history.put({ ...segment(2, "finished"), position: 7 });
  now = 3_500;
  expect(history.current.map(({ position }) => position)).toEqual([7, 6.5]);
  expect(history.segments.map(({ position }) => position)).toEqual([7, 4]);
});

test("an event of a segment that is older than what was loaded leaves the order as it is", () => {
  const history = loaded(segment(5), segment(4));
  history.put(segment(2, "playing"));
  history.append({ segments: [segment(3), segment(2, "playing"), segment(1)], next: null });
  expect(ids(history)).toEqual(["seg_5", "seg_4", "seg_3", "seg_2", "seg_1"]);
});
