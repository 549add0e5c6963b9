/** How long the page waits before it asks the service for the list of segments again. */

export interface PollConditions {
  /** A segment of the room is queued, playing or paused. */
  readonly live: boolean;
  /** The page is in the background. */
  readonly hidden: boolean;
  /** Failed requests in a row. */
  readonly failures: number;
}

/** Milliseconds. */
export function pollDelay({ live, hidden, failures }: PollConditions): number {
  if (failures > 0) return Math.min(1000 * 2 ** (failures - 1), 10_000);
  if (hidden) return live ? 5_000 : 15_000;
  return live ? 1_000 : 4_000;
}
