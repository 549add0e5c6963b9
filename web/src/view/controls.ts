/** The buttons over the picture: mute, captions, interrupt, full screen, leave. */

import { isLive, Phase, type State } from "../core/phase.ts";
import { showNotice } from "./dialogs.ts";
import { find, isPressed, setIcon, setPressed } from "./dom.ts";

export interface ControlsListener {
  interrupt(): void;
  mute(muted: boolean): void;
  captions(on: boolean): void;
  leave(): void;
}

export class Controls {
  readonly #listener: ControlsListener;
  readonly #controls = find("controls", HTMLElement);
  readonly #interrupt = find("interrupt", HTMLButtonElement);
  readonly #mute = find("mute", HTMLButtonElement);
  readonly #captions = find("captions-toggle", HTMLButtonElement);
  readonly #full = find("full", HTMLButtonElement);
  #live = false;
  #speaking = false;
  #playing = false;

  constructor(listener: ControlsListener) {
    this.#listener = listener;
    this.#interrupt.onclick = () => listener.interrupt();
    this.#mute.onclick = () => this.toggleMute();
    this.#captions.onclick = () => this.toggleCaptions();
    this.#full.onclick = () => void this.toggleFullScreen();
    this.#full.hidden = !document.fullscreenEnabled;
    document.addEventListener("fullscreenchange", () => setPressed(this.#full, document.fullscreenElement !== null));
    find("leave", HTMLButtonElement).onclick = () => listener.leave();
  }

  render({ phase }: State): void {
    this.#live = isLive(phase);
    this.#speaking = phase === Phase.Speaking;
    this.#controls.hidden = !this.#live;
    this.#updateInterrupt();
  }

  /** Whether the service lists a segment that plays. */
  set playing(playing: boolean) {
    this.#playing = playing;
    this.#updateInterrupt();
  }

  /** An interrupt was requested, and the service has not answered yet. */
  set interrupting(interrupting: boolean) {
    this.#interrupt.toggleAttribute("data-busy", interrupting);
  }

  /** Does nothing while there is nothing to interrupt. */
  interrupt(): void {
    this.#interrupt.click();
  }

  toggleMute(): void {
    const muted = !isPressed(this.#mute);
    setPressed(this.#mute, muted);
    setIcon(this.#mute, muted ? "muted" : "sound");
    this.#listener.mute(muted);
  }

  toggleCaptions(): void {
    const on = !isPressed(this.#captions);
    setPressed(this.#captions, on);
    this.#listener.captions(on);
  }

  async toggleFullScreen(): Promise<void> {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await document.querySelector(".avatar-view")?.requestFullscreen();
    } catch {
      showNotice("The browser refused full screen.");
    }
  }

  #updateInterrupt(): void {
    this.#interrupt.disabled = !this.#live || !(this.#playing || this.#speaking);
  }
}
