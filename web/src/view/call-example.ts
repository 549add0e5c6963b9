/** How another program makes the avatar speak: shown in the lobby and in the panel. */

import { showNotice } from "./dialogs.ts";
import { setText } from "./dom.ts";

const COPIED_SHOWN = 2_000; // ms

export class CallExampleView {
  readonly #places = [...document.querySelectorAll<HTMLElement>("[data-call-example]")];
  #commands = "";

  constructor() {
    for (const place of this.#places) {
      const button = place.querySelector("button");
      if (button === null) continue;
      button.hidden = !navigator.clipboard;
      button.onclick = () => void this.#copy(button);
    }
  }

  render(commands: string): void {
    this.#commands = commands;
    for (const place of this.#places) {
      const code = place.querySelector("code");
      if (code !== null) setText(code, commands);
    }
  }

  async #copy(button: HTMLButtonElement): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#commands);
    } catch {
      return showNotice("The commands were not copied: select them and copy them by hand.");
    }
    setText(button, "Copied");
    setTimeout(() => setText(button, "Copy"), COPIED_SHOWN);
  }
}
