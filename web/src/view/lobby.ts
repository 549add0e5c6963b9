/** The lobby: the screen before a session, after it, and after a failed join. */

import { Phase, type State } from "../core/phase.ts";
import { find, setText } from "./dom.ts";

const ABOUT = "Any program sends a sound or a text. The avatar in the room says it, and reports when it was heard.";

interface LobbyTexts {
  readonly title: string;
  readonly text: string;
  readonly button: string;
}

export class LobbyView {
  readonly #lobby = find("lobby", HTMLElement);
  readonly #title = find("lobby-title", HTMLElement);
  readonly #text = find("lobby-text", HTMLElement);
  readonly #note = find("lobby-note", HTMLElement);
  readonly #call = find("lobby-call", HTMLElement);
  readonly #join = find("join", HTMLButtonElement);

  constructor(onJoin: () => void) {
    this.#join.addEventListener("click", onJoin);
  }

  render(state: State): void {
    const texts = lobbyTexts(state);
    const appears = this.#lobby.hidden && texts !== null;
    this.#lobby.hidden = texts === null;
    if (texts === null) return;
    this.#call.hidden = state.phase !== Phase.Landing;
    setText(this.#title, texts.title);
    setText(this.#text, texts.text);
    setText(this.#join, texts.button);
    setText(this.#note, state.room === null ? "A new room opens for you." : `Room ${state.room}`);
    if (appears) this.focusJoin();
  }

  /** Lets the Enter key join. The focus ring stays hidden, as the viewer has not used the keyboard. */
  focusJoin(): void {
    this.#join.focus({ focusVisible: false } as FocusOptions);
  }
}

/** Null in the phases without a lobby. */
function lobbyTexts({ phase, reason }: State): LobbyTexts | null {
  switch (phase) {
    case Phase.Landing:
      return { title: "Mouthpiece", text: ABOUT, button: "Join" };
    case Phase.Ended:
      return { title: "Session ended", text: reason, button: "Join again" };
    case Phase.Failed:
      return { title: "Could not join", text: reason, button: "Try again" };
    default:
      return null;
  }
}
