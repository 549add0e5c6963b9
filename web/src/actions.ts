/** What the viewer can do in a room. A failure becomes a notice. */

import sampleUrl from "../../assets/hello_world_16kHz.wav?url";
import { contentType, refusal } from "./core/files.ts";
import type { Store } from "./core/phase.ts";
import type { Segment } from "./core/segment.ts";
import type { SegmentHistory } from "./core/segment-history.ts";
import type { TtsVoice } from "./core/tts-voices.ts";
import type { Api } from "./io/api.ts";
import { isAborted, messageOf, Problem } from "./io/errors.ts";
import { PAGE_SIZE, type SegmentFeed } from "./io/feed.ts";
import type { Uploads } from "./io/uploads.ts";
import { showNotice } from "./view/dialogs.ts";

const SAMPLE_NAME = "hello_world_16kHz.wav";

export class Actions {
  readonly #api: Api;
  readonly #store: Store;
  readonly #history: SegmentHistory;
  readonly #feed: SegmentFeed;
  readonly #uploads: Uploads;

  constructor(api: Api, store: Store, history: SegmentHistory, feed: SegmentFeed, uploads: Uploads) {
    this.#api = api;
    this.#store = store;
    this.#history = history;
    this.#feed = feed;
    this.#uploads = uploads;
  }

  /** True once the service has accepted the text. */
  async sayText(text: string, voice: TtsVoice | undefined): Promise<boolean> {
    return this.#attempt(async (room) => {
      this.#history.put(await this.#api.speakText(room, text, voice));
      this.#feed.refresh();
    });
  }

  sayFiles(files: readonly File[]): void {
    const { room } = this.#store.state;
    for (const file of files) {
      const reason = refusal(file);
      if (reason !== null) showNotice(reason);
      else if (room !== null) this.#uploads.add(room, file, file.name, contentType(file));
    }
  }

  async saySample(): Promise<void> {
    await this.#attempt(async (room) => {
      const sample = await fetch(sampleUrl);
      if (!sample.ok) throw new Problem(sample.status, "The sample is missing from the page's files.");
      this.#uploads.add(room, await sample.blob(), SAMPLE_NAME, "audio/wav");
    });
  }

  async interrupt(): Promise<void> {
    await this.#attempt(async (room) => {
      for (const segment of await this.#api.interrupt(room)) this.#history.put(segment);
    });
    this.#feed.refresh();
  }

  async cancel(...segments: readonly Segment[]): Promise<void> {
    await this.#attempt(async () => {
      for (const { id } of segments) this.#history.put(await this.#api.cancel(id));
    });
    this.#feed.refresh();
  }

  async showEarlier(): Promise<void> {
    const after = this.#history.cursor;
    if (after === null) return;
    await this.#attempt(async (room) => {
      this.#history.append(await this.#api.segments(room, { limit: PAGE_SIZE, after }));
    });
  }

  /** Whether `action` succeeded. */
  async #attempt(action: (room: string) => Promise<void>): Promise<boolean> {
    const { room } = this.#store.state;
    if (room === null) return false;
    try {
      await action(room);
      return true;
    } catch (error) {
      if (!isAborted(error)) showNotice(messageOf(error));
      return false;
    }
  }
}
