/** Keys that work anywhere on the page. They are listed in the help dialog. */

export interface Shortcuts {
  /** By `KeyboardEvent.key`, lower case. */
  readonly letters: Readonly<Record<string, () => void>>;
  /** Escape anywhere, Space where it presses nothing. */
  interrupt(): void;
  active(): boolean;
  lettersOn(): boolean;
}

const WRITES = "input, textarea, select, [contenteditable]";
const PRESSES = `${WRITES}, button, a, summary`;

export function listen(shortcuts: Shortcuts): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !shortcuts.active()) return;
    if (document.querySelector("dialog[open]")) return;
    const target = event.target instanceof Element ? event.target : document.body;
    const action = actionOf(event.key, target, shortcuts);
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

function actionOf(key: string, target: Element, shortcuts: Shortcuts): (() => void) | undefined {
  if (key === "Escape") return () => shortcuts.interrupt();
  if (key === " ") return target.closest(PRESSES) ? undefined : () => shortcuts.interrupt();
  if (target.closest(WRITES) || !shortcuts.lettersOn()) return undefined;
  return shortcuts.letters[key.toLowerCase()];
}
