/** What the viewer can do in a room. A notice says which action failed, and why. */

import sampleUrl from "../../assets/hello_world_16kHz.wav?url";
import { contentType, refusal } from "./core/files.ts";
import { shortened, titleOf } from "./core/labels.ts";
import { type Limits, NO_LIMITS, textRefusal } from "./core/limits.ts";
import type { Store } from "./core/phase.ts";
import type { Segment } from "./core/segment.ts";
import type { SegmentHistory } from "./core/segment-history.ts";
import type { TtsVoice } from "./core/tts-voices.ts";
import type { Api } from "./io/api.ts";
import { isAborted, messageOf, Problem, Unreachable } from "./io/errors.ts";
import { type EventFeed, PAGE_SIZE } from "./io/feed.ts";
import type { Uploads } from "./io/uploads.ts";
import { showNotice } from "./view/dialogs.ts";

const SAMPLE_NAME = "hello_world_16kHz.wav";

export class Actions {
  readonly #api: Api;
  readonly #store: Store;
  readonly #history: SegmentHistory;
  readonly #feed: EventFeed;
  readonly #uploads: Uploads;
  limits: Limits = NO_LIMITS;

  constructor(api: Api, store: Store, history: SegmentHistory, feed: EventFeed, uploads: Uploads) {
    this.#api = api;
    this.#store = store;
    this.#history = history;
    this.#feed = feed;
    this.#uploads = uploads;
  }

  /** True once the service has accepted the text. */
  async sayText(text: string, voice: TtsVoice | undefined): Promise<boolean> {
    const reason = textRefusal(text, this.limits);
    if (reason !== null) {
      showNotice(reason);
      return false;
    }
    return this.#attempt(`“${shortened(text)}” was not sent`, async (room) => {
      this.#history.put(await this.#api.speakText(room, text, voice));
    });
  }

  sayFiles(files: readonly File[]): void {
    const { room } = this.#store.state;
    for (const file of files) {
      const reason = refusal(file, this.limits);
      if (reason !== null) showNotice(reason);
      else if (room !== null) this.#uploads.add(room, file, file.name, contentType(file));
    }
  }

  async saySample(): Promise<void> {
    await this.#attempt("The sample was not played", async (room) => {
      this.#uploads.add(room, await loadSample(), SAMPLE_NAME, "audio/wav");
    });
  }

  async interrupt(): Promise<void> {
    await this.#attempt("The interrupt failed", async (room) => {
      for (const segment of await this.#api.interrupt(room)) this.#history.put(segment);
    });
  }

  async cancel(...segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) {
      const title = titleOf(segment, this.#history.names.get(segment.id));
      const failure = `“${shortened(title)}” was not ${segment.state === "queued" ? "cancelled" : "stopped"}`;
      await this.#attempt(failure, async () => this.#history.put(await this.#api.cancel(segment.id)));
    }
  }

  async showEarlier(): Promise<void> {
    const after = this.#history.cursor;
    if (after === null) return;
    await this.#attempt("Earlier segments were not loaded", async (room) => {
      this.#history.append(await this.#api.segments(room, { limit: PAGE_SIZE, after }));
    });
  }

  /** Whether `action` succeeded. The notice of a failure begins with `failure`. */
  async #attempt(failure: string, action: (room: string) => Promise<void>): Promise<boolean> {
    const { room } = this.#store.state;
    if (room === null) return false;
    try {
      await action(room);
      this.#feed.retry();
      return true;
    } catch (error) {
      if (!isAborted(error)) showNotice(`${failure}: ${messageOf(error)}`);
      return false;
    }
  }
}

/** @throws {Unreachable} the service did not answer. @throws {Problem} it has no such file. */
async function loadSample(): Promise<Blob> {
  const response = await fetch(sampleUrl).catch(() => {
    throw new Unreachable();
  });
  if (!response.ok) throw new Problem(response.status, "The sample is missing from the page's files.");
  return response.blob();
}
