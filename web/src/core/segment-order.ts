/** The order in which the page lists segments: what plays, what waits, then the history. */

import { isOver, type Segment, type SegmentState } from "./segment.ts";

/** Neighbours in the history that were never said and ended alike; the page shows them as one row. */
export interface UnsaidGroup {
  /** Id of the oldest: it stays while newer segments join the group. */
  readonly id: string;
  readonly state: SegmentState;
  readonly segments: readonly Segment[];
}

export type HistoryEntry = Segment | UnsaidGroup;

export interface ArrangedSegments {
  /** Playing or paused, then waiting in the order of playing. */
  readonly live: readonly Segment[];
  /** Newest first. */
  readonly history: readonly HistoryEntry[];
}

/** `segments` are newest first. */
export function arrange(segments: readonly Segment[]): ArrangedSegments {
  const live = segments.filter((segment) => !isOver(segment)).reverse();
  const waiting = live.filter(({ state }) => state === "queued");
  const begun = live.filter(({ state }) => state !== "queued");
  return { live: [...begun, ...waiting], history: grouped(segments.filter(isOver)) };
}

export function isGroup(entry: HistoryEntry): entry is UnsaidGroup {
  return "segments" in entry;
}

function grouped(segments: readonly Segment[]): readonly HistoryEntry[] {
  const runs: Segment[][] = [];
  for (const segment of segments) {
    const run = runs.at(-1);
    if (run?.[0]?.state === segment.state && isUnsaid(segment)) run.push(segment);
    else runs.push([segment]);
  }
  return runs.flatMap((run): readonly HistoryEntry[] => {
    const oldest = run.at(-1);
    return run.length > 1 && oldest ? [{ id: oldest.id, state: oldest.state, segments: run }] : run;
  });
}

function isUnsaid({ state }: Segment): boolean {
  return state === "cancelled" || state === "expired" || state === "ignored";
}
