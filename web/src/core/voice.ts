/** Whether a voice is heard, from the loudness of its sound. */

/** Root mean square of samples in −1…1; −42 dB: above coding noise, below the quietest speech worth a name. */
const THRESHOLD = 0.008;
/** Milliseconds: pauses between words are part of the speech. */
const HOLD = 450;

export class VoiceActivity {
  #lastLoud = Number.NEGATIVE_INFINITY;

  /** `now` in milliseconds of a monotonic clock. */
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
