/** A segment as the service's API describes it (docs/api.md), and the functions over a list of them. */

import type { ProblemDetails } from "./viewer-message.ts";

export type SegmentState =
  | "queued"
  | "playing"
  | "paused"
  | "finished"
  | "interrupted"
  | "cancelled"
  | "expired"
  | "ignored"
  | "failed"
  | "unknown";

export type Receipt = "none" | "confirmed" | "heard" | "estimated" | "unknown";

export interface Segment {
  readonly id: string;
  readonly state: SegmentState;
  readonly receipt: Receipt;
  readonly source: {
    readonly kind: "file" | "text" | "url" | "live";
    readonly name?: string | null;
    readonly text?: string | null;
  };
  readonly audio: { readonly duration: number | null } | null;
  /** Seconds. */
  readonly position: number | null;
  /** RFC 3339. */
  readonly created_at: string;
  readonly error: ProblemDetails | null;
}

export interface SegmentPage {
  readonly segments: readonly Segment[];
  /** Cursor of the page after this one; null on the last. */
  readonly next: string | null;
}

export function isOver({ state }: Segment): boolean {
  return state !== "queued" && state !== "playing" && state !== "paused";
}

/**
 * `known` brought up to date with the newest page; newest first.
 *
 * Segments older than the page stay. Those that the page should list and does not were purged, and go.
 */
export function merge(known: readonly Segment[], page: SegmentPage): readonly Segment[] {
  const oldest = page.segments.at(-1);
  if (oldest === undefined || page.next === null) return page.segments;
  const listed = new Set(page.segments.map(({ id }) => id));
  const older = known.filter(({ id, created_at }) => !listed.has(id) && created_at < oldest.created_at);
  return [...page.segments, ...older];
}

/**
 * `known` with `segment` in its place: by its age where it is new.
 *
 * Answers and events overtake each other. States move one way and the furthest position never falls, so what is behind
 * what is known changes nothing.
 */
export function put(known: readonly Segment[], segment: Segment): readonly Segment[] {
  if (known.some(({ id }) => id === segment.id)) {
    return known.map((old) => (old.id === segment.id ? later(old, segment) : old));
  }
  const older = known.findIndex(({ created_at }) => created_at <= segment.created_at);
  return older < 0 ? [...known, segment] : [...known.slice(0, older), segment, ...known.slice(older)];
}

function later(known: Segment, segment: Segment): Segment {
  const step = (one: Segment) => (one.state === "queued" ? 0 : isOver(one) ? 2 : 1);
  if (step(segment) < step(known)) return known;
  if (step(segment) !== 1) return segment;
  return { ...segment, position: Math.max(known.position ?? 0, segment.position ?? 0) };
}

/** A position, and when the service first reported it. */
export interface Observation {
  /** Seconds. */
  readonly position: number;
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
}

/** While a segment plays, a repeated position keeps the time of its first report: the service has not measured again. */
export function observe(before: Observation | undefined, segment: Segment, now: number): Observation {
  const position = segment.position ?? 0;
  return before?.position === position && segment.state === "playing" ? before : { position, at: now };
}

/** Seconds played at `now`: a playing segment went on since its position was observed. */
export function positionAt(segment: Segment, observed: Observation, now: number): number {
  if (segment.state !== "playing") return observed.position;
  const position = observed.position + (now - observed.at) / 1000;
  return Math.min(position, segment.audio?.duration ?? Number.POSITIVE_INFINITY);
}
