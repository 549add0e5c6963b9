/** Whether a call is sent again, and when. No I/O. */

import type { ClientError } from "./errors.js";

/** Milliseconds before the second try; each further one waits twice as long. */
const FIRST = 250;
/** Milliseconds. */
const LONGEST = 5_000;
/** Milliseconds before what ended in order is asked again. */
export const AGAIN = 100;

/** The tries of one call. Times are milliseconds of a monotonic clock. */
export class Retrying {
  #delay = FIRST;

  /** `until`: no further try begins after it. */
  constructor(private until: number) {}

  /** Milliseconds to wait before the next try; null: there is none. */
  after(error: ClientError, now: number): number | null {
    if (!error.retryable) return null;
    const delay = Math.max(this.#delay, (error.retryAfter ?? 0) * 1000);
    this.#delay = Math.min(LONGEST, this.#delay * 2);
    return now + delay <= this.until ? delay : null;
  }

  /** Begins anew: what was received counts. */
  succeeded(until: number): void {
    this.until = until;
    this.#delay = FIRST;
  }
}
