/** The API key: asked for when the service demands one, kept in this tab's `sessionStorage` only. */

import type { ApiKeys } from "./api.ts";

const STORAGE_KEY = "mouthpiece.key";

export class TabApiKeys implements ApiKeys {
  readonly #ask: (again: boolean) => Promise<string | null>;
  #asking: Promise<string | null> | null = null;

  /** `ask` shows the dialog and returns null when it is cancelled; `again`: the service refused the last key. */
  constructor(ask: (again: boolean) => Promise<string | null>) {
    this.#ask = ask;
  }

  current(): string | null {
    return sessionStorage.getItem(STORAGE_KEY);
  }

  /** Asks once, however many requests were refused at the same time. */
  refused(key: string | null): Promise<string | null> {
    const current = this.current();
    if (current !== key) return Promise.resolve(current); // another request has asked since
    this.#asking ??= this.#replace(key !== null).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #replace(again: boolean): Promise<string | null> {
    sessionStorage.removeItem(STORAGE_KEY);
    const key = await this.#ask(again);
    if (key !== null) sessionStorage.setItem(STORAGE_KEY, key);
    return key;
  }
}
