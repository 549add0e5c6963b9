/** Reports when the avatar takes longer than usual to come, and when it may never come. */

import { Phase, type Store } from "../core/phase.ts";

/** Milliseconds without an avatar. */
const OVERDUE_AFTER = 15_000;
const MISSING_AFTER = 60_000;

/** Dispatches `overdue` and `missing` while the phase of `store` is `coming`. */
export function watchForAvatar(store: Store): void {
  let timers: readonly ReturnType<typeof setTimeout>[] = [];
  store.subscribe(({ phase }, before) => {
    if (phase === before.phase) return;
    for (const timer of timers) clearTimeout(timer);
    timers = [];
    if (phase !== Phase.Coming) return;
    timers = [
      setTimeout(() => store.dispatch({ kind: "overdue" }), OVERDUE_AFTER),
      setTimeout(() => store.dispatch({ kind: "missing" }), MISSING_AFTER),
    ];
  });
}
