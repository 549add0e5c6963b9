/** The avatar's part of the page: its picture, the status over it, and its captions. */

import { type CaptionState, type Line, visibleLines, withCaption } from "../core/captions.ts";
import { statusLine, waitingHint } from "../core/labels.ts";
import { isLive, type State } from "../core/phase.ts";
import { find, setText } from "./dom.ts";

/** Milliseconds. */
const PAINT_AMBIENT_EVERY = 1_000;
const UPDATE_CAPTIONS_EVERY = 250;

export class AvatarView {
  readonly #status = find("status", HTMLElement);
  readonly #statusText = find("status-text", HTMLElement);
  readonly #roomChip = find("room-chip", HTMLElement);
  readonly #roomName = find("room-name", HTMLElement);
  readonly #roomViewers = find("room-viewers", HTMLElement);
  readonly #hint = find("hint", HTMLElement);
  readonly #captions = find("captions", HTMLElement);
  readonly #soundOn = find("sound-on", HTMLButtonElement);
  readonly #picture = find("picture", HTMLElement);
  readonly #video = find("video", HTMLVideoElement);
  readonly #ambient = find("ambient", HTMLCanvasElement);
  #lines: readonly Line[] = [];
  #captionsOn = true;

  constructor(onAllowSound: () => void) {
    this.#soundOn.addEventListener("click", onAllowSound);
    for (const event of ["resize", "playing", "emptied"]) {
      this.#video.addEventListener(event, () => this.#updatePicture());
    }
    setInterval(() => this.#paintAmbient(), PAINT_AMBIENT_EVERY);
    setInterval(() => this.#updateCaptions(), UPDATE_CAPTIONS_EVERY);
  }

  render(state: State): void {
    setText(this.#statusText, statusLine(state));
    setText(this.#hint, waitingHint(state));
    this.#hint.hidden = waitingHint(state) === "";
    setText(this.#roomName, state.room ?? "");
    this.#roomChip.hidden = !isLive(state.phase) || state.room === null;
    if (!isLive(state.phase)) this.clearCaptions();
  }

  clearCaptions(): void {
    this.#lines = [];
    this.#updateCaptions();
  }

  viewers(count: number): void {
    setText(this.#roomViewers, count === 1 ? "1 viewer" : `${count} viewers`);
  }

  soundBlocked(blocked: boolean): void {
    this.#soundOn.hidden = !blocked;
  }

  /** Moves the bars in the status; `level` is the root mean square of the sound, 0…1. */
  level(level: number): void {
    this.#status.style.setProperty("--level", Math.min(1, Math.sqrt(level) * 2.2).toFixed(2));
  }

  caption(id: string, text: string, state: CaptionState): void {
    this.#lines = withCaption(this.#lines, { id, text, state, at: performance.now() });
    this.#updateCaptions();
  }

  set captionsOn(on: boolean) {
    this.#captionsOn = on;
    this.#updateCaptions();
  }

  #updateCaptions(): void {
    const lines = this.#captionsOn ? visibleLines(this.#lines, performance.now()) : [];
    this.#captions.hidden = lines.length === 0;
    setText(this.#captions, lines.map(({ text }) => text.trim()).join("\n"));
    this.#captions.scrollTop = this.#captions.scrollHeight;
  }

  /** The picture came, went or changed its shape. */
  #updatePicture(): void {
    const { videoWidth, videoHeight } = this.#video;
    const shown = this.#video.srcObject !== null && videoWidth > 0;
    document.body.toggleAttribute("data-picture", shown);
    if (shown) this.#picture.style.setProperty("--shape", String(videoWidth / videoHeight));
    this.#paintAmbient();
  }

  /** Draws the picture's colours; the style sheet blurs them and fills the space around the picture with them. */
  #paintAmbient(): void {
    if (document.hidden || !document.body.hasAttribute("data-picture")) return;
    const { width, height } = this.#ambient;
    this.#ambient.getContext("2d")?.drawImage(this.#video, 0, 0, width, height);
  }
}
