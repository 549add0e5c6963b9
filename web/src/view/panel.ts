/** The controls: what a person can do while in a room. */

import { isLive, type State } from "../core/stage.ts";
import { labels, placeOf, type Voice } from "../core/voices.ts";
import { showHelp } from "./dialogs.ts";
import { find, make, setText, useIcon } from "./dom.ts";
import { acceptDrops } from "./drop.ts";
import { listen } from "./shortcuts.ts";

export interface PanelActions {
  interrupt(): void;
  dropQueued(): void;
  sample(): void;
  files(files: readonly File[]): void;
  /** True once it was taken. */
  say(text: string, voice: Voice | undefined): Promise<boolean>;
  earlier(): void;
  leave(): void;
  mute(muted: boolean): void;
  captions(on: boolean): void;
}

const SINGLE_KEYS = "mouthpiece.single-keys";

export class Panel {
  readonly #actions: PanelActions;
  readonly #panel = find("panel", HTMLElement);
  readonly #controls = find("controls", HTMLElement);
  readonly #interrupt = find("interrupt", HTMLButtonElement);
  readonly #trouble = find("trouble", HTMLElement);
  readonly #mute = find("mute", HTMLButtonElement);
  readonly #captions = find("captions-toggle", HTMLButtonElement);
  readonly #full = find("full", HTMLButtonElement);
  readonly #file = find("file", HTMLInputElement);
  readonly #say = find("say", HTMLFormElement);
  readonly #text = find("say-text", HTMLTextAreaElement);
  readonly #voice = find("say-voice", HTMLSelectElement);
  readonly #singleKeys = find("single-keys", HTMLInputElement);
  #voices: readonly Voice[] = [];
  #live = false;
  #speaking = false;
  #playing = false;

  constructor(actions: PanelActions) {
    this.#actions = actions;
    this.#interrupt.onclick = () => actions.interrupt();
    this.#mute.onclick = () => this.#toggleMute();
    this.#captions.onclick = () => this.#toggleCaptions();
    this.#full.onclick = () => void this.#toggleFull();
    this.#full.hidden = !document.fullscreenEnabled;
    document.addEventListener("fullscreenchange", () => press(this.#full, document.fullscreenElement !== null));
    find("leave", HTMLButtonElement).onclick = () => actions.leave();
    find("sample", HTMLButtonElement).onclick = () => actions.sample();
    find("choose", HTMLButtonElement).onclick = () => this.#file.click();
    find("help", HTMLButtonElement).onclick = showHelp;
    find("drop-queued", HTMLButtonElement).onclick = () => actions.dropQueued();
    find("earlier", HTMLButtonElement).onclick = () => actions.earlier();
    this.#file.onchange = () => {
      actions.files([...(this.#file.files ?? [])]);
      this.#file.value = ""; // the same file may be chosen again
    };
    this.#offerLink();
    this.#listenForText();
    acceptDrops(() => this.#live, actions.files);
    this.#listenForKeys();
  }

  render({ stage }: State): void {
    this.#live = isLive(stage);
    this.#speaking = stage === "speaking";
    this.#panel.hidden = !this.#live;
    this.#controls.hidden = !this.#live;
    this.#offerInterrupt();
  }

  canInterrupt(playing: boolean): void {
    this.#playing = playing;
    this.#offerInterrupt();
  }

  /** Interrupt was asked for and has not had its effect yet. */
  stopping(busy: boolean): void {
    this.#interrupt.toggleAttribute("data-busy", busy);
  }

  /** Empty: all is well with the service. */
  trouble(text: string): void {
    this.#trouble.hidden = text === "";
    setText(this.#trouble, text);
  }

  offerText(voices: readonly Voice[]): void {
    this.#say.hidden = voices.length === 0;
    find("help-say", HTMLElement).hidden = voices.length === 0;
    find("say-voice-label", HTMLElement).hidden = voices.length < 2;
    const chosen = this.#chosen();
    const shown = labels(voices);
    this.#voice.replaceChildren(...voices.map(({ id }, index) => make("option", { value: id }, shown[index] ?? id)));
    this.#voice.selectedIndex = Math.max(0, placeOf(voices, chosen));
    this.#voices = voices;
  }

  #chosen(): Voice | undefined {
    return this.#voices[this.#voice.selectedIndex];
  }

  #offerInterrupt(): void {
    const able = this.#live && (this.#playing || this.#speaking);
    this.#interrupt.disabled = !able;
  }

  #toggleMute(): void {
    const muted = !isPressed(this.#mute);
    press(this.#mute, muted);
    useIcon(this.#mute, muted ? "muted" : "sound");
    this.#actions.mute(muted);
  }

  #toggleCaptions(): void {
    const on = !isPressed(this.#captions);
    press(this.#captions, on);
    this.#actions.captions(on);
  }

  async #toggleFull(): Promise<void> {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await document.querySelector(".theatre")?.requestFullscreen();
    } catch {
      // the browser does not want to: the page stays as it is
    }
  }

  #offerLink(): void {
    const button = find("copy-link", HTMLButtonElement);
    const text = find("copy-link-text", HTMLElement);
    button.hidden = !navigator.clipboard;
    button.onclick = async () => {
      await navigator.clipboard.writeText(location.href);
      setText(text, "Copied");
      setTimeout(() => setText(text, "Copy link"), 2_000);
    };
  }

  #listenForText(): void {
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#say.requestSubmit();
    });
    this.#say.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  async #submit(): Promise<void> {
    const text = this.#text.value.trim();
    if (text === "" || this.#text.readOnly) return;
    this.#text.readOnly = true;
    const taken = await this.#actions.say(text, this.#chosen());
    this.#text.readOnly = false;
    if (taken) this.#text.value = "";
  }

  #listenForKeys(): void {
    this.#singleKeys.checked = localStorage.getItem(SINGLE_KEYS) !== "off";
    this.#singleKeys.onchange = () => localStorage.setItem(SINGLE_KEYS, this.#singleKeys.checked ? "on" : "off");
    listen({
      active: () => this.#live,
      lettersOn: () => this.#singleKeys.checked,
      interrupt: () => this.#interrupt.click(), // does nothing where there is nothing to interrupt
      letters: {
        s: () => this.#actions.sample(),
        o: () => this.#file.click(),
        t: () => this.#text.focus(),
        m: () => this.#toggleMute(),
        c: () => this.#toggleCaptions(),
        f: () => void this.#toggleFull(),
        "?": showHelp,
      },
    });
  }
}

function isPressed(button: HTMLButtonElement): boolean {
  return button.getAttribute("aria-pressed") === "true";
}

function press(button: HTMLButtonElement, pressed: boolean): void {
  button.setAttribute("aria-pressed", String(pressed));
}
