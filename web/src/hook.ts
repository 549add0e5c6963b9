/**
 * `window.mouthpiece`: read-only values for tests and measurements, without secrets.
 *
 *     mouthpiece.phase              "landing" … "failed" (src/core/phase.ts)
 *     mouthpiece.room, .avatar      room name and avatar identity, or null
 *     mouthpiece.level              current root mean square of the avatar's sound, 0…1
 *     mouthpiece.segments           the loaded segments: [{id, state, receipt, position, duration}], newest first
 *     await mouthpiece.media()      counters of received media (MediaFigures in src/io/player.ts)
 */

import type { App } from "./app.ts";
import type { MediaFigures } from "./io/player.ts";

export interface Hook {
  readonly phase: string;
  readonly room: string | null;
  readonly avatar: string | null;
  readonly level: number;
  readonly segments: readonly object[];
  media(): Promise<MediaFigures>;
}

declare global {
  interface Window {
    readonly mouthpiece: Hook;
  }
}

export function exposeHook(app: App): void {
  const hook: Hook = Object.freeze({
    get phase() {
      return app.store.state.phase;
    },
    get room() {
      return app.store.state.room;
    },
    get avatar() {
      return app.store.state.avatar;
    },
    get level() {
      return app.player.level;
    },
    get segments() {
      return app.segments.map(({ id, state, receipt, position, audio }) => ({
        id,
        state,
        receipt,
        position,
        duration: audio?.duration ?? null,
      }));
    },
    media: () => app.player.figures(),
  });
  Object.defineProperty(window, "mouthpiece", { value: hook });
}
