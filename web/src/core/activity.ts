/** Voice activity: whether someone is speaking, from the loudness of the sound. */

/** Root mean square of samples in −1…1 (−42 dBFS): above coding noise, below quiet speech. */
const THRESHOLD = 0.008;
/** Milliseconds. Pauses between words are shorter, and count as speech. */
const HOLD = 450;

export class VoiceActivity {
  #lastLoud = Number.NEGATIVE_INFINITY;

  /** Takes the root mean square at `now`, milliseconds of a monotonic clock; true while someone is speaking. */
  push(level: number, now: number): boolean {
    if (level >= THRESHOLD) this.#lastLoud = now;
    return now - this.#lastLoud < HOLD;
  }

  clear(): void {
    this.#lastLoud = Number.NEGATIVE_INFINITY;
  }
}

export function rootMeanSquare(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 ? 0 : Math.sqrt(sum / samples.length);
}
