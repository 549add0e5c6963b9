/** Loads the voices for text while the viewer is in a room, and again after a failure. */

import type { TtsVoice } from "../core/tts-voices.ts";
import type { Api } from "./api.ts";

/** Milliseconds. */
const RETRY_FIRST = 2_000;
const RETRY_AT_MOST = 30_000;

export class VoiceList {
  readonly #api: Api;
  readonly #loaded: (voices: readonly TtsVoice[]) => void;
  #running = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls `loaded` with each list that the service answers; a failure leaves the last one. */
  constructor(api: Api, loaded: (voices: readonly TtsVoice[]) => void) {
    this.#api = api;
    this.#loaded = loaded;
  }

  /** Loads the list, now and until it is there. Call it again when it may have changed. */
  start(): void {
    this.stop();
    void this.#load(this.#running, RETRY_FIRST);
  }

  stop(): void {
    this.#running += 1; // an answer to an earlier request is too late
    clearTimeout(this.#timer);
  }

  async #load(run: number, retryAfter: number): Promise<void> {
    let voices: readonly TtsVoice[] = [];
    try {
      voices = await this.#api.voices();
      if (run === this.#running) this.#loaded(voices);
    } catch {
      // tried again below; where the whole service is away, the banner says so
    }
    if (run !== this.#running || voices.length > 0) return;
    const next = Math.min(2 * retryAfter, RETRY_AT_MOST);
    this.#timer = setTimeout(() => void this.#load(run, next), retryAfter);
  }
}
