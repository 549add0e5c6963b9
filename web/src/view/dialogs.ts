/** The two dialogs (API key, keyboard help), and the notices. */

import type { KeyRefusal } from "../io/api.ts";
import { find, iconButton, make, setText } from "./dom.ts";

const KEY_TEXTS: Readonly<Record<KeyRefusal, string>> = {
  missing: "It is kept in this tab only and forgotten when you close it.",
  unknown: "That key was not accepted. Check it and try again.",
  "other-rooms": "That key is for other rooms. Enter one for this room.",
};

/** Asks for the API key; null when the dialog is cancelled. */
export function askForKey(why: KeyRefusal): Promise<string | null> {
  const dialog = find("key-dialog", HTMLDialogElement);
  const input = find("key-input", HTMLInputElement);
  const text = find("key-text", HTMLElement);
  setText(text, KEY_TEXTS[why]);
  text.classList.toggle("error", why !== "missing");
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

const NOTICE_SHOWN = 8_000; // ms
const NOTICES_AT_MOST = 3;

/** Shows a sentence for some seconds, which screen readers announce at once; a repeated one replaces itself. */
export function showNotice(text: string): void {
  const list = find("notices", HTMLElement);
  for (const old of list.querySelectorAll(".notice")) if (old.firstElementChild?.textContent === text) old.remove();
  const notice = make("div", { class: "notice" }, make("p", {}, text));
  const dismiss = () => notice.remove();
  notice.append(iconButton("close", "Dismiss", dismiss));
  list.append(notice);
  while (list.children.length > NOTICES_AT_MOST) list.firstElementChild?.remove();
  setTimeout(dismiss, NOTICE_SHOWN);
}
