/** Puts the parts together: who tells whom. */

import sampleUrl from "../../assets/hello_world_16kHz.wav?url";
import { contentType, refusal } from "./core/files.ts";
import { merge, put, type Segment, type SegmentPage } from "./core/segments.ts";
import { initial, isLive, Stage, type State, Store } from "./core/stage.ts";
import type { Voice } from "./core/voices.ts";
import { Api, isAborted, Problem } from "./io/api.ts";
import { PAGE_SIZE, PollingFeed, type SegmentFeed } from "./io/feed.ts";
import { SessionKeys } from "./io/keys.ts";
import { Player } from "./io/player.ts";
import { Session } from "./io/session.ts";
import { messageOf } from "./io/trouble.ts";
import { Uploads } from "./io/uploads.ts";
import type { Media } from "./io/visit.ts";
import { askKey, notice } from "./view/dialogs.ts";
import { find } from "./view/dom.ts";
import { Panel } from "./view/panel.ts";
import { QueueView } from "./view/queue.ts";
import { Theatre } from "./view/theatre.ts";

const SAMPLE_NAME = "hello_world_16kHz.wav";
const OVERDUE_AFTER = 15_000; // ms

export class App {
  readonly store: Store;
  readonly player: Player;
  readonly #api: Api;
  readonly #session: Session;
  readonly #feed: SegmentFeed;
  readonly #uploads: Uploads;
  readonly #theatre: Theatre;
  readonly #panel: Panel;
  readonly #queue: QueueView;
  readonly #names = new Map<string, string>();
  #segments: readonly Segment[] = [];
  #cursor: string | null = null;
  #wentBack = false;
  #overdue: ReturnType<typeof setTimeout> | undefined;

  constructor(base: URL, room: string | null) {
    this.store = new Store(initial(room));
    this.#api = new Api(base, new SessionKeys(askKey));
    this.#theatre = new Theatre({ join: () => this.#join(), allowSound: () => this.#allowSound() });
    this.#panel = new Panel({
      interrupt: () => void this.#interrupt(),
      dropQueued: () => this.#dropQueued(),
      sample: () => void this.#playSample(),
      files: (files) => this.#speakFiles(files),
      say: (text, voice) => this.#say(text, voice),
      earlier: () => void this.#showEarlier(),
      leave: () => this.#session.leave(),
      mute: (muted) => {
        this.player.muted = muted;
      },
      captions: (on) => {
        this.#theatre.captionsOn = on;
      },
    });
    this.#queue = new QueueView({
      cancel: (segment) => this.#act(async () => this.#keep(await this.#api.cancel(segment.id))),
      removeUpload: (id) => this.#uploads.remove(id),
      retryUpload: (id) => this.#uploads.retry(id),
    });
    this.#uploads = new Uploads(this.#api, {
      changed: (uploads) => this.#queue.uploads(uploads),
      accepted: (segment, name) => {
        this.#names.set(segment.id, name);
        this.#keep(segment);
        this.#feed.poke();
      },
    });
    this.#feed = new PollingFeed(this.#api, {
      page: (page) => this.#listed(page),
      isLive: () => this.#segments.some(({ state }) => state === "queued" || state === "playing" || state === "paused"),
      health: (trouble) => this.#panel.trouble(trouble === null ? "" : serviceTrouble(trouble)),
    });
    this.player = new Player(find("video", HTMLVideoElement), find("audio", HTMLAudioElement), {
      voice: (heard) => this.#voice(heard),
      level: (level) => this.#theatre.level(level),
    });
    this.#session = new Session(this.#api, this.store, {
      media: (media) => this.#media(media),
      activeSpeaker: (speaking) => this.player.activeSpeaker(speaking),
      caption: (id, text, phase) => this.#theatre.caption(id, text, phase),
      soundBlocked: (blocked) => this.#theatre.soundBlocked(blocked),
      viewers: (count) => this.#theatre.viewers(count),
    });
    this.store.subscribe((state, before) => this.#changed(state, before));
    this.#theatre.render(this.store.state);
    this.#theatre.focusJoin();
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  async #interrupt(): Promise<void> {
    this.#panel.stopping(true);
    await this.#attempt(async (room) => {
      for (const segment of await this.#api.interrupt(room)) this.#keep(segment);
    });
    this.#panel.stopping(false);
    this.#feed.poke();
  }

  #join(): void {
    this.player.prepare();
    this.#session.join();
  }

  #allowSound(): void {
    this.player.prepare();
    void this.#session.allowSound();
  }

  #changed(state: State, before: State): void {
    if (state.stage !== before.stage || state.room !== before.room || state.overdue !== before.overdue) {
      this.#theatre.render(state);
      this.#panel.render(state);
    }
    if (state.stage !== before.stage) this.#staged(state, before);
    if (state.room !== before.room && state.room !== null) putRoomIntoAddress(state.room);
  }

  #staged({ stage, room }: State, before: State): void {
    clearTimeout(this.#overdue);
    if (stage === Stage.Coming) {
      this.#overdue = setTimeout(() => this.store.dispatch({ kind: "overdue" }), OVERDUE_AFTER);
    }
    if (isLive(stage) && !isLive(before.stage) && room !== null) {
      this.#feed.start(room);
      void this.#offerText();
    }
    if (!isLive(stage) && isLive(before.stage)) {
      this.#feed.stop();
      this.#uploads.clear();
    }
    if ((stage === Stage.Speaking) !== (before.stage === Stage.Speaking)) this.#feed.poke();
  }

  #media(media: Media | null): void {
    this.player.show(media);
    this.store.dispatch({ kind: "avatar", identity: media?.identity ?? null });
  }

  #voice(heard: boolean): void {
    if (heard !== this.store.state.voice) this.store.dispatch({ kind: "voice", heard });
  }

  #listed(page: SegmentPage): void {
    this.#segments = merge(this.#segments, page);
    if (!this.#wentBack) this.#cursor = page.next;
    if (page.next === null) this.#cursor = null;
    this.#show();
  }

  #keep(segment: Segment): void {
    this.#segments = put(this.#segments, segment);
    this.#show();
  }

  #show(): void {
    this.#queue.render(this.#segments, this.#names, this.#cursor !== null);
    this.#panel.canInterrupt(this.#segments.some(({ state }) => state === "playing" || state === "paused"));
  }

  async #showEarlier(): Promise<void> {
    const after = this.#cursor;
    if (after === null) return;
    await this.#attempt(async (room) => {
      const page = await this.#api.segments(room, { limit: PAGE_SIZE, after });
      const known = new Set(this.#segments.map(({ id }) => id));
      this.#wentBack = true;
      this.#cursor = page.next;
      this.#segments = [...this.#segments, ...page.segments.filter(({ id }) => !known.has(id))];
      this.#show();
    });
  }

  async #playSample(): Promise<void> {
    await this.#attempt(async (room) => {
      const sample = await fetch(sampleUrl);
      if (!sample.ok) throw new Problem(sample.status, "The sample is missing from the page's files.");
      this.#uploads.add(room, await sample.blob(), SAMPLE_NAME, "audio/wav");
    });
  }

  #speakFiles(files: readonly File[]): void {
    const { room } = this.store.state;
    for (const file of files) {
      const why = refusal(file);
      if (why !== null) notice(why);
      else if (room !== null) this.#uploads.add(room, file, file.name, contentType(file));
    }
  }

  /** True once the service has taken it. */
  async #say(text: string, voice: Voice | undefined): Promise<boolean> {
    return this.#attempt(async (room) => {
      this.#keep(await this.#api.speakText(room, text, voice));
      this.#feed.poke();
    });
  }

  #dropQueued(): void {
    const waiting = this.#segments.filter(({ state }) => state === "queued");
    this.#act(async () => {
      for (const { id } of waiting) this.#keep(await this.#api.cancel(id));
    });
  }

  async #offerText(): Promise<void> {
    try {
      this.#panel.offerText(await this.#api.voices());
    } catch {
      // the service is away, which the feed says; the next join asks again
    }
  }

  #act(action: (room: string) => Promise<void>): void {
    void this.#attempt(action).then(() => this.#feed.poke());
  }

  /** What goes wrong is said to the person who asked for it. */
  async #attempt(action: (room: string) => Promise<void>): Promise<boolean> {
    const { room } = this.store.state;
    if (room === null) return false;
    try {
      await action(room);
      return true;
    } catch (error) {
      if (!isAborted(error)) notice(messageOf(error));
      return false;
    }
  }
}

function serviceTrouble(trouble: unknown): string {
  return trouble instanceof Problem ? trouble.message : "The service does not answer. Trying again…";
}

/** So that a reload comes back to the same room. */
function putRoomIntoAddress(room: string): void {
  const url = new URL(location.href);
  url.searchParams.set("room", room);
  history.replaceState(null, "", url);
}
