/** The API key: asked for when the service demands one, kept in this tab's `sessionStorage` only. */

import { keyInFragment } from "../core/key-link.ts";
import type { ApiKeys, KeyRefusal } from "./api.ts";

const STORAGE_KEY = "mouthpiece.key";

/** Keeps the key that the address brings and removes it there; returns whether it brought one. */
export function takeKeyFromAddress(): boolean {
  const { key, rest } = keyInFragment(location.hash);
  if (key === null) return false;
  sessionStorage.setItem(STORAGE_KEY, key);
  history.replaceState(history.state, "", `${location.pathname}${location.search}${rest}`);
  return true;
}

export class TabApiKeys implements ApiKeys {
  readonly #ask: (why: KeyRefusal) => Promise<string | null>;
  #asking: Promise<string | null> | null = null;

  /** `ask` shows the dialog, and returns null when it is cancelled. */
  constructor(ask: (why: KeyRefusal) => Promise<string | null>) {
    this.#ask = ask;
  }

  current(): string | null {
    return sessionStorage.getItem(STORAGE_KEY);
  }

  /** Asks once, however many requests were refused at the same time. */
  refused(key: string | null, why: KeyRefusal): Promise<string | null> {
    const current = this.current();
    if (current !== key) return Promise.resolve(current); // another request has asked since
    this.#asking ??= this.#replace(why).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #replace(why: KeyRefusal): Promise<string | null> {
    if (why === "unknown") sessionStorage.removeItem(STORAGE_KEY);
    const key = await this.#ask(why);
    if (key !== null) sessionStorage.setItem(STORAGE_KEY, key);
    return key;
  }
}
