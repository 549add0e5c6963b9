/** The avatar's side of the page: picture, status, curtain before and after, captions. */

import { type Line, type Phase, visible, withCaption } from "../core/captions.ts";
import { isLive, Stage, type State } from "../core/stage.ts";
import { statusLine } from "../core/words.ts";
import { find, setText } from "./dom.ts";

interface CurtainWords {
  readonly title: string;
  readonly text: string;
  readonly button: string;
  readonly note: string;
}

const AMBIENT_EVERY = 1_000; // ms

export class Theatre {
  readonly #status = find("status-text", HTMLElement);
  readonly #light = find("status", HTMLElement);
  readonly #roomChip = find("room-chip", HTMLElement);
  readonly #roomName = find("room-name", HTMLElement);
  readonly #roomViewers = find("room-viewers", HTMLElement);
  readonly #captions = find("captions", HTMLElement);
  readonly #soundOn = find("sound-on", HTMLButtonElement);
  readonly #curtain = find("curtain", HTMLElement);
  readonly #join = find("join", HTMLButtonElement);
  readonly #picture = find("picture", HTMLElement);
  readonly #video = find("video", HTMLVideoElement);
  readonly #ambient = find("ambient", HTMLCanvasElement);
  #lines: readonly Line[] = [];
  #captionsOn = true;

  constructor(on: { join: () => void; allowSound: () => void }) {
    this.#join.addEventListener("click", on.join);
    this.#soundOn.addEventListener("click", on.allowSound);
    this.#video.addEventListener("resize", () => this.#frame());
    this.#video.addEventListener("playing", () => this.#frame());
    this.#video.addEventListener("emptied", () => this.#frame());
    setInterval(() => this.#paintAmbient(), AMBIENT_EVERY);
    setInterval(() => this.#showCaptions(), 250);
  }

  render(state: State): void {
    const { stage } = state;
    const words = curtainWords(state);
    document.body.dataset.stage = stage;
    document.body.dataset.place = words ? "outside" : stage === Stage.Connecting ? "door" : "room";
    setText(this.#status, statusLine(state));
    setText(this.#roomName, state.room ?? "");
    this.#roomChip.hidden = !isLive(stage) || state.room === null;
    const fell = this.#curtain.hidden && words !== null;
    this.#curtain.hidden = words === null;
    if (words === null) return;
    setText(find("curtain-title", HTMLElement), words.title);
    setText(find("curtain-text", HTMLElement), words.text);
    setText(find("curtain-note", HTMLElement), words.note);
    setText(this.#join, words.button);
    this.#lines = [];
    this.#showCaptions();
    if (fell) this.focusJoin();
  }

  /** The Enter key joins; a ring that nobody's keyboard has asked for is not drawn. */
  focusJoin(): void {
    this.#join.focus({ focusVisible: false } as FocusOptions);
  }

  viewers(count: number): void {
    setText(this.#roomViewers, count === 1 ? "1 viewer" : `${count} viewers`);
  }

  soundBlocked(blocked: boolean): void {
    this.#soundOn.hidden = !blocked;
  }

  /** 0…1 of the voice, for the light in the status. */
  level(level: number): void {
    this.#light.style.setProperty("--level", Math.min(1, Math.sqrt(level) * 2.2).toFixed(2));
  }

  caption(id: string, text: string, phase: Phase): void {
    this.#lines = withCaption(this.#lines, { id, text, phase, at: performance.now() });
    this.#showCaptions();
  }

  set captionsOn(on: boolean) {
    this.#captionsOn = on;
    this.#showCaptions();
  }

  #showCaptions(): void {
    const lines = this.#captionsOn ? visible(this.#lines, performance.now()) : [];
    this.#captions.hidden = lines.length === 0;
    setText(this.#captions, lines.map(({ text }) => text.trim()).join("\n"));
    this.#captions.scrollTop = this.#captions.scrollHeight;
  }

  /** The picture has come, gone or changed its shape. */
  #frame(): void {
    const { videoWidth, videoHeight } = this.#video;
    const shown = this.#video.srcObject !== null && videoWidth > 0;
    document.body.toggleAttribute("data-picture", shown);
    if (shown) this.#picture.style.setProperty("--shape", String(videoWidth / videoHeight));
    this.#paintAmbient();
  }

  /** The picture's colours, blurred by the style sheet, fill what the picture leaves free. */
  #paintAmbient(): void {
    if (document.hidden || !document.body.hasAttribute("data-picture")) return;
    const { width, height } = this.#ambient;
    this.#ambient.getContext("2d")?.drawImage(this.#video, 0, 0, width, height);
  }
}

/** What stands over the stage when nobody is in a room; null: nothing does. */
function curtainWords({ stage, room, reason }: State): CurtainWords | null {
  const where = room === null ? "A new room opens for you." : `Room ${room}`;
  switch (stage) {
    case Stage.Landing:
      return { title: "Mouthpiece", text: "Give it a sound, and the avatar says it.", button: "Join", note: where };
    case Stage.Ended:
      return { title: "Session ended", text: reason, button: "Join again", note: where };
    case Stage.Failed:
      return { title: "Could not join", text: reason, button: "Try again", note: where };
    default:
      return null;
  }
}
