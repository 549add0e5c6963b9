/** Whether the picture stands still, from the number of frames shown. */

/** Milliseconds without a new frame. A busy machine or network skips shorter ones. */
const STALLED_AFTER = 2_000;

export class StallDetector {
  #frames = 0;
  #since: number | null = null;

  /** Takes the number of frames shown at `now`, milliseconds of a monotonic clock; true while the picture stands still. */
  push(frames: number, now: number): boolean {
    if (frames !== this.#frames || this.#since === null) {
      this.#frames = frames;
      this.#since = now;
    }
    return frames > 0 && now - this.#since >= STALLED_AFTER;
  }

  /** Forgets the time that has passed: another picture, or a page that was in the background. */
  clear(): void {
    this.#since = null;
  }
}
