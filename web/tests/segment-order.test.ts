import { expect, test } from "vitest";
import type { Segment, SegmentState } from "../src/core/segment.ts";
import { arrange, isGroup } from "../src/core/segment-order.ts";

/** Newest first, with ids that count up from the oldest: "3", "2", "1". */
function listed(...states: readonly SegmentState[]): readonly Segment[] {
  return states.map((state, index) => ({ id: String(states.length - index), state }) as Segment);
}

function shown(...states: readonly SegmentState[]) {
  const { live, history } = arrange(listed(...states));
  const entries = history.map((entry) => (isGroup(entry) ? entry.segments.map(({ id }) => id) : entry.id));
  return { live: live.map(({ id }) => id), history: entries };
}

test("what plays comes first, then what waits in the order of playing, then the history", () => {
  expect(shown("queued", "queued", "playing", "finished", "failed")).toEqual({
    live: ["3", "4", "5"],
    history: ["2", "1"],
  });
});

test("a paused segment stays before those that wait for it", () => {
  expect(shown("paused", "queued").live).toEqual(["2", "1"]);
});

test("neighbours that were never said and ended alike form one group", () => {
  expect(shown("cancelled", "cancelled", "expired", "finished", "cancelled", "interrupted").history).toEqual([
    ["6", "5"],
    "4",
    "3",
    "2",
    "1",
  ]);
  expect(shown("finished", "finished").history).toEqual(["2", "1"]);
});

test("a live segment between two cancelled ones does not split their group", () => {
  expect(shown("cancelled", "queued", "cancelled").history).toEqual([["3", "1"]]);
});

test("a group keeps its id while newer segments join it", () => {
  const ids = (segments: readonly Segment[]) =>
    arrange(segments)
      .history.filter(isGroup)
      .map(({ id }) => id);
  expect(ids(listed("cancelled", "cancelled"))).toEqual(ids(listed("cancelled", "cancelled", "cancelled")));
});
