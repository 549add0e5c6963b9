/**
 * `window.mouthpiece`: what a test or a measurement may read of the page. It changes nothing and holds no secrets.
 *
 *     mouthpiece.stage              "landing" … "failed" (src/core/stage.ts)
 *     mouthpiece.room, .avatar      names, or null
 *     mouthpiece.level              loudness of the avatar now, root mean square in 0…1
 *     mouthpiece.segments           the list as shown: [{id, state, receipt, position, duration}], newest first
 *     await mouthpiece.media()      counters of the media received (MediaFigures in src/io/player.ts)
 */

import type { App } from "./app.ts";
import type { MediaFigures } from "./io/player.ts";

export interface Hook {
  readonly stage: string;
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

export function expose(app: App): void {
  const hook: Hook = Object.freeze({
    get stage() {
      return app.store.state.stage;
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
