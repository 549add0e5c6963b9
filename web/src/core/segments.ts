/** Segments as the service tells of them (docs/api.md), and how a list of them is kept in step. */

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

export type Receipt = "none" | "confirmed" | "estimated" | "unknown";

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
  readonly error: { readonly detail?: string } | string | null;
}

export interface SegmentPage {
  readonly segments: readonly Segment[];
  /** Where the page after this one begins. */
  readonly next: string | null;
}

export function isOver({ state }: Segment): boolean {
  return state !== "queued" && state !== "playing" && state !== "paused";
}

/** What is known, with the newest page laid over it: older entries stay, purged ones go. Newest first. */
export function merge(known: readonly Segment[], page: SegmentPage): readonly Segment[] {
  const oldest = page.segments.at(-1);
  if (oldest === undefined || page.next === null) return page.segments;
  const listed = new Set(page.segments.map(({ id }) => id));
  const older = known.filter(({ id, created_at }) => !listed.has(id) && created_at < oldest.created_at);
  return [...page.segments, ...older];
}

/** One segment that the service has just answered with. */
export function put(known: readonly Segment[], one: Segment): readonly Segment[] {
  return known.some(({ id }) => id === one.id) ? known.map((old) => (old.id === one.id ? one : old)) : [one, ...known];
}

/**
 * Seconds played by now: a playing segment goes on since `seenAt`, when the service last told its position.
 * Times in milliseconds of one monotonic clock.
 */
export function positionAt(segment: Segment, seenAt: number, now: number): number {
  const told = segment.position ?? 0;
  if (segment.state !== "playing") return told;
  return Math.min(told + (now - seenAt) / 1000, segment.audio?.duration ?? Number.POSITIVE_INFINITY);
}

/** Milliseconds until the next question to the service. */
export function pollDelay(about: { live: boolean; hidden: boolean; failures: number }): number {
  if (about.failures > 0) return Math.min(1000 * 2 ** (about.failures - 1), 10_000);
  if (about.hidden) return about.live ? 5_000 : 15_000;
  return about.live ? 1_000 : 4_000;
}
