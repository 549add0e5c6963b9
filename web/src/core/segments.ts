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

/** When the service first told of the position that it tells of now; milliseconds of one monotonic clock. */
export interface Seen {
  readonly told: number;
  readonly at: number;
}

/** A position that stays the same while the segment plays is an old one: its time does not begin anew. */
export function see(before: Seen | undefined, segment: Segment, now: number): Seen {
  const told = segment.position ?? 0;
  return before?.told === told && segment.state === "playing" ? before : { told, at: now };
}

/** Seconds played by now: a playing segment has gone on since it was seen. */
export function positionAt(segment: Segment, seen: Seen, now: number): number {
  if (segment.state !== "playing") return seen.told;
  return Math.min(seen.told + (now - seen.at) / 1000, segment.audio?.duration ?? Number.POSITIVE_INFINITY);
}

/** Milliseconds until the next question to the service. */
export function pollDelay(about: { live: boolean; hidden: boolean; failures: number }): number {
  if (about.failures > 0) return Math.min(1000 * 2 ** (about.failures - 1), 10_000);
  if (about.hidden) return about.live ? 5_000 : 15_000;
  return about.live ? 1_000 : 4_000;
}
