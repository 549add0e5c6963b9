/** The two dialogs, and the notices that come and go. */

import { find, iconButton, make, setText } from "./dom.ts";

/** Asks for the API key; null when the person gives up. */
export function askKey(again: boolean): Promise<string | null> {
  const dialog = find("key-dialog", HTMLDialogElement);
  const input = find("key-input", HTMLInputElement);
  const text = again
    ? "That key was not accepted. Check it and try again."
    : "It is kept in this tab only and forgotten when you close it.";
  setText(find("key-text", HTMLElement), text);
  find("key-text", HTMLElement).classList.toggle("trouble", again);
  let key: string | null = null;
  find("key-cancel", HTMLButtonElement).onclick = () => dialog.close();
  find("key-form", HTMLFormElement).onsubmit = () => {
    key = input.value.trim() || null;
  };
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    const closed = () => {
      input.value = "";
      resolve(key);
    };
    dialog.addEventListener("close", closed, { once: true });
  });
}

export function showHelp(): void {
  find("help-dialog", HTMLDialogElement).showModal();
}

const STAYS = 8_000; // ms

/** Says what went wrong; announced at once. */
export function notice(text: string): void {
  const place = find("notices", HTMLElement);
  for (const old of place.querySelectorAll(".notice")) if (old.firstElementChild?.textContent === text) old.remove();
  const card = make("div", { class: "notice" }, make("p", {}, text));
  const dismiss = () => card.remove();
  card.append(iconButton("close", "Dismiss", dismiss));
  place.append(card);
  setTimeout(dismiss, STAYS);
}
