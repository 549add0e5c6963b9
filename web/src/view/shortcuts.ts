/** Keyboard shortcuts that work anywhere on the page. The help dialog lists them and can switch the letters off. */

import { find } from "./dom.ts";

export interface Shortcuts {
  active(): boolean;
  /** Escape anywhere, and Space where it presses nothing. */
  interrupt(): void;
  /** By `KeyboardEvent.key` in lower case. */
  readonly letters: Readonly<Record<string, () => void>>;
}

const STORAGE_KEY = "mouthpiece.single-keys";
const TAKES_TEXT = "input, textarea, select, [contenteditable]";
const TAKES_SPACE = `${TAKES_TEXT}, button, a, summary`;

export function listenForShortcuts(shortcuts: Shortcuts): void {
  const lettersOn = find("single-keys", HTMLInputElement);
  lettersOn.checked = localStorage.getItem(STORAGE_KEY) !== "off";
  lettersOn.onchange = () => localStorage.setItem(STORAGE_KEY, lettersOn.checked ? "on" : "off");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !shortcuts.active()) return;
    if (document.querySelector("dialog[open]")) return;
    const target = event.target instanceof Element ? event.target : document.body;
    const action = actionOf(event.key, target, shortcuts, lettersOn.checked);
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

function actionOf(key: string, target: Element, shortcuts: Shortcuts, lettersOn: boolean): (() => void) | undefined {
  if (key === "Escape") return () => shortcuts.interrupt();
  if (key === " ") return target.closest(TAKES_SPACE) ? undefined : () => shortcuts.interrupt();
  if (target.closest(TAKES_TEXT) || !lettersOn) return undefined;
  return shortcuts.letters[key.toLowerCase()];
}
