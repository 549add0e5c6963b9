/** The API key: asked for when the service wants one, kept for this tab only. */

import type { Keys } from "./api.ts";

const PLACE = "mouthpiece.key";

export class SessionKeys implements Keys {
  readonly #ask: (again: boolean) => Promise<string | null>;
  #asking: Promise<string | null> | null = null;

  /** `ask` shows the dialog; `again` says that the last key was not accepted. Null: the person gave up. */
  constructor(ask: (again: boolean) => Promise<string | null>) {
    this.#ask = ask;
  }

  current(): string | null {
    return sessionStorage.getItem(PLACE);
  }

  refused(key: string | null): Promise<string | null> {
    const current = this.current();
    if (current !== key) return Promise.resolve(current); // another call has asked meanwhile
    this.#asking ??= this.#askAndKeep(key !== null).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #askAndKeep(again: boolean): Promise<string | null> {
    sessionStorage.removeItem(PLACE);
    const key = await this.#ask(again);
    if (key !== null) sessionStorage.setItem(PLACE, key);
    return key;
  }
}
