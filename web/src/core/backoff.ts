/** How long the page waits before it opens the stream of events again. */

/** Milliseconds before a stream that ended, or was cut, is opened again. */
const AFTER_AN_END = 250;

/** Milliseconds after `failures` attempts in a row. */
export function backoff(failures: number): number {
  return failures === 0 ? AFTER_AN_END : Math.min(1000 * 2 ** (failures - 1), 10_000);
}
