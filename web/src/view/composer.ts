/** What the viewer gives the avatar to say: a text, the sample, sound files. */

import { indexOfVoice, type TtsVoice, voiceLabels } from "../core/tts-voices.ts";
import { find, make } from "./dom.ts";

export interface ComposerListener {
  /** Resolves to true once the service has accepted the text. */
  text(text: string, voice: TtsVoice | undefined): Promise<boolean>;
  sample(): void;
  files(files: readonly File[]): void;
}

export class Composer {
  readonly #listener: ComposerListener;
  readonly #form = find("say", HTMLFormElement);
  readonly #text = find("say-text", HTMLTextAreaElement);
  readonly #voice = find("say-voice", HTMLSelectElement);
  readonly #file = find("file", HTMLInputElement);
  #voices: readonly TtsVoice[] = [];

  constructor(listener: ComposerListener) {
    this.#listener = listener;
    find("sample", HTMLButtonElement).onclick = () => listener.sample();
    find("choose", HTMLButtonElement).onclick = () => this.chooseFile();
    this.#file.onchange = () => {
      listener.files([...(this.#file.files ?? [])]);
      this.#file.value = ""; // so that choosing the same file again is a change
    };
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  chooseFile(): void {
    this.#file.click();
  }

  focusText(): void {
    this.#text.focus();
  }

  /** Shows the text field and its voices; hides it where there are none. */
  set voices(voices: readonly TtsVoice[]) {
    const chosen = this.#chosenVoice();
    const labels = voiceLabels(voices);
    this.#form.hidden = voices.length === 0;
    find("help-say", HTMLElement).hidden = voices.length === 0;
    find("say-voice-label", HTMLElement).hidden = voices.length < 2;
    this.#voice.replaceChildren(...voices.map(({ id }, index) => make("option", { value: id }, labels[index] ?? id)));
    this.#voice.selectedIndex = Math.max(0, indexOfVoice(voices, chosen));
    this.#voices = voices;
  }

  #chosenVoice(): TtsVoice | undefined {
    return this.#voices[this.#voice.selectedIndex];
  }

  async #submit(): Promise<void> {
    const text = this.#text.value.trim();
    if (text === "" || this.#text.readOnly) return;
    this.#text.readOnly = true;
    const accepted = await this.#listener.text(text, this.#chosenVoice());
    this.#text.readOnly = false;
    if (accepted) this.#text.value = "";
  }
}
