/** The panel beside (or below) the avatar: shown in a room, with its heading and the banner. */

import { isLive, type State } from "../core/phase.ts";
import { showHelp, showNotice } from "./dialogs.ts";
import { find, setText } from "./dom.ts";

const COPIED_SHOWN = 2_000; // ms

export class Panel {
  readonly #panel = find("panel", HTMLElement);
  readonly #banner = find("banner", HTMLElement);
  readonly #copyLink = find("copy-link", HTMLButtonElement);
  readonly #copyLinkText = find("copy-link-text", HTMLElement);

  constructor() {
    find("help", HTMLButtonElement).onclick = showHelp;
    this.#copyLink.hidden = !navigator.clipboard;
    this.#copyLink.onclick = () => void this.#copy();
  }

  render({ phase }: State): void {
    this.#panel.hidden = !isLive(phase);
  }

  /** A lasting problem with the service, or an empty text. */
  set banner(text: string) {
    this.#banner.hidden = text === "";
    setText(this.#banner, text);
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      return showNotice("The link was not copied: copy it from the browser's address bar.");
    }
    setText(this.#copyLinkText, "Copied");
    setTimeout(() => setText(this.#copyLinkText, "Copy link"), COPIED_SHOWN);
  }
}
