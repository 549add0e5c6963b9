/** Makes the parts of the page and connects them. */

import { Actions } from "./actions.ts";
import { callExample } from "./core/call-example.ts";
import { clockStop } from "./core/labels.ts";
import { initial, isJoined, isLive, type State, Store } from "./core/phase.ts";
import type { Segment } from "./core/segment.ts";
import { SegmentHistory } from "./core/segment-history.ts";
import { Api } from "./io/api.ts";
import { TabApiKeys } from "./io/api-keys.ts";
import { watchForAvatar } from "./io/avatar-wait.ts";
import type { Media } from "./io/connection.ts";
import { messageOf, Problem } from "./io/errors.ts";
import { EventFeed } from "./io/feed.ts";
import { loadLimits } from "./io/limits.ts";
import { Player } from "./io/player.ts";
import { Session } from "./io/session.ts";
import { Uploads } from "./io/uploads.ts";
import { VoiceList } from "./io/voice-list.ts";
import { AvatarView } from "./view/avatar.ts";
import { CallExampleView } from "./view/call-example.ts";
import { CaptionView } from "./view/captions.ts";
import { Composer } from "./view/composer.ts";
import { Controls } from "./view/controls.ts";
import { askForKey, showHelp, showNotice } from "./view/dialogs.ts";
import { find } from "./view/dom.ts";
import { acceptDrops } from "./view/drop.ts";
import { renderLayout } from "./view/layout.ts";
import { LobbyView } from "./view/lobby.ts";
import { Panel } from "./view/panel.ts";
import { SegmentList } from "./view/segment-list.ts";
import { listenForShortcuts } from "./view/shortcuts.ts";
import { UploadList } from "./view/upload-list.ts";

/** Milliseconds from one estimate of a missed caption to the next. */
const ESTIMATE_CAPTIONS_EVERY = 1_000;

export class App {
  readonly store: Store;
  readonly player: Player;
  readonly #apiUrl: URL;
  readonly #keys: TabApiKeys;
  readonly #api: Api;
  readonly #history: SegmentHistory;
  readonly #feed: EventFeed;
  readonly #uploads: Uploads;
  readonly #voices: VoiceList;
  readonly #session: Session;
  readonly #actions: Actions;
  readonly #avatar: AvatarView;
  readonly #captions = new CaptionView();
  readonly #lobby: LobbyView;
  readonly #panel: Panel;
  readonly #callExample = new CallExampleView();
  readonly #controls: Controls;
  readonly #composer: Composer;
  readonly #segmentList: SegmentList;
  readonly #uploadList: UploadList;
  #serviceAnswers = true;

  /** `base` is the URL of the API; `room` is the room to join, or null to open a new one. */
  constructor(base: URL, room: string | null) {
    this.store = new Store(initial(room));
    this.#apiUrl = base;
    this.#keys = new TabApiKeys(askForKey);
    this.#api = new Api(base, this.#keys);
    this.#history = new SegmentHistory(() => this.#showHistory());
    this.#feed = new EventFeed(this.#api, {
      page: (page) => this.#history.update(page),
      segment: (segment) => this.#history.put(segment),
      health: (error) => this.#setHealth(error),
    });
    this.#uploads = new Uploads(this.#api, {
      changed: (uploads) => this.#uploadList.render(uploads),
      accepted: (segment, name) => {
        this.#history.put(segment, name);
        this.#feed.retry();
      },
    });
    this.#voices = new VoiceList(this.#api, (voices) => {
      this.#composer.voices = voices;
    });
    this.player = new Player(find("video", HTMLVideoElement), find("audio", HTMLAudioElement), {
      audible: (audible) => this.#setAudible(audible),
      level: (level) => this.#avatar.level(level),
      stalled: (stalled) => this.#setStalled(stalled),
    });
    this.#session = new Session(this.#api, this.store, {
      agent: (present) => this.#setAgent(present),
      media: (media) => this.#setMedia(media),
      activeSpeaker: (speaking) => this.player.activeSpeaker(speaking),
      caption: (id, text, state) => this.#captions.arrived({ id, text, state }),
      soundBlocked: (blocked) => this.#avatar.soundBlocked(blocked),
      viewers: (count) => this.#avatar.viewers(count),
    });
    this.#actions = new Actions(this.#api, this.store, this.#history, this.#feed, this.#uploads);

    this.#avatar = new AvatarView(() => this.#allowSound());
    this.#lobby = new LobbyView(() => this.#join());
    this.#panel = new Panel();
    this.#controls = new Controls({
      interrupt: () => void this.#interrupt(),
      mute: (muted) => {
        this.player.muted = muted;
      },
      captions: (on) => {
        this.#captions.on = on;
      },
      leave: () => this.#session.leave(),
    });
    this.#composer = new Composer({
      text: (text, voice) => this.#actions.sayText(text, voice),
      sample: () => void this.#actions.saySample(),
      files: (files) => this.#actions.sayFiles(files),
    });
    this.#segmentList = new SegmentList({
      cancel: (segment) => void this.#actions.cancel(segment),
      cancelWaiting: () => void this.#actions.cancel(...this.#history.waiting),
      showEarlier: () => void this.#actions.showEarlier(),
    });
    this.#uploadList = new UploadList({
      retry: (id) => this.#uploads.retry(id),
      remove: (id) => this.#uploads.remove(id),
    });
    acceptDrops(
      () => isLive(this.store.state.phase),
      (files) => this.#actions.sayFiles(files),
    );
    this.#listenForShortcuts();

    watchForAvatar(this.store);
    setInterval(() => this.#updateCaptions(), ESTIMATE_CAPTIONS_EVERY);
    this.store.subscribe((state, before) => this.#stateChanged(state, before));
    this.#render(this.store.state);
    this.#lobby.focusJoin();
  }

  /** As listed, newest first. */
  get segments(): readonly Segment[] {
    return this.#history.segments;
  }

  #listenForShortcuts(): void {
    listenForShortcuts({
      active: () => isLive(this.store.state.phase),
      interrupt: () => this.#controls.interrupt(),
      letters: {
        s: () => void this.#actions.saySample(),
        o: () => this.#composer.chooseFile(),
        t: () => this.#composer.focusText(),
        m: () => this.#controls.toggleMute(),
        c: () => this.#controls.toggleCaptions(),
        f: () => void this.#controls.toggleFullScreen(),
        "?": showHelp,
      },
    });
  }

  #join(): void {
    this.player.prepare();
    this.#session.join();
  }

  #allowSound(): void {
    this.player.prepare();
    this.#session.allowSound().catch((error: unknown) => showNotice(messageOf(error)));
  }

  async #interrupt(): Promise<void> {
    this.#controls.interrupting = true;
    await this.#actions.interrupt();
    this.#controls.interrupting = false;
  }

  #setMedia(media: Media | null): void {
    this.player.attach(media);
    this.store.dispatch({ kind: "avatar", identity: media?.identity ?? null });
  }

  #setAgent(present: boolean): void {
    if (present !== this.store.state.agent) this.store.dispatch({ kind: "agent", present });
  }

  #setAudible(audible: boolean): void {
    if (audible !== this.store.state.audible) this.store.dispatch({ kind: "audible", audible });
  }

  #setStalled(stalled: boolean): void {
    if (stalled !== this.store.state.stalled) this.store.dispatch({ kind: "stalled", stalled });
  }

  /** `error` is why the room's events cannot be followed; null: they can. */
  #setHealth(error: unknown): void {
    const answersAgain = error === null && !this.#serviceAnswers;
    this.#serviceAnswers = error === null;
    if (answersAgain) this.#voices.start(); // it may have been started anew, with other voices
    this.#panel.banner = bannerText(error);
    this.#updateClocks();
    this.#updateCaptions();
  }

  #updateCaptions(): void {
    if (isLive(this.store.state.phase)) this.#captions.listed(this.#clockStop === null ? this.#history.current : null);
  }

  /** Why the positions of playing segments are not known now; null: they are. */
  get #clockStop(): string | null {
    return clockStop(this.store.state, this.#serviceAnswers);
  }

  #updateClocks(): void {
    this.#segmentList.clockStop = this.#clockStop;
  }

  #stateChanged(state: State, before: State): void {
    if (clockStop(before, true) !== null && clockStop(state, true) === null) this.#feed.list(); // where it is by now
    this.#render(state);
    if (state.phase !== before.phase) this.#phaseChanged(state, before);
    if (state.room !== before.room && state.room !== null) putRoomIntoAddress(state.room);
  }

  #phaseChanged({ phase, room }: State, before: State): void {
    if (isJoined(phase) && !isJoined(before.phase)) this.#captions.joined();
    if (isLive(phase) && !isLive(before.phase) && room !== null) {
      this.#feed.start(room);
      this.#voices.start();
      void this.#loadLimits();
    }
    if (!isLive(phase) && isLive(before.phase)) {
      this.#feed.stop();
      this.#voices.stop();
      this.#uploads.clear();
      this.#captions.clear();
    }
  }

  async #loadLimits(): Promise<void> {
    this.#actions.limits = await loadLimits(new URL("../page.json", this.#apiUrl));
  }

  #render(state: State): void {
    renderLayout(state);
    this.#lobby.render(state);
    this.#callExample.render(callExample(this.#apiUrl, state.room, this.#keys.current() !== null));
    this.#avatar.render(state);
    this.#panel.render(state);
    this.#controls.render(state);
    this.#updateClocks();
  }

  #showHistory(): void {
    this.#segmentList.render(this.#history);
    this.#controls.playing = this.#history.isPlaying;
  }
}

function bannerText(error: unknown): string {
  if (error === null) return "";
  return error instanceof Problem ? error.message : "The service does not answer. Trying again…";
}

/** So that a reload joins the same room. */
function putRoomIntoAddress(room: string): void {
  const url = new URL(location.href);
  url.searchParams.set("room", room);
  history.replaceState(null, "", url);
}
