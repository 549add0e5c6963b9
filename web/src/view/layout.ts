/** The attributes of `<body>` that the style sheets choose the page's layout by. */

import { isLive, Phase, type State } from "../core/phase.ts";

/**
 * `data-phase`: the phase. `data-layout`: `room` (avatar and panel), `connecting` (the avatar's part alone) or `lobby`
 * (the lobby over it). `data-stalled`: the picture stands still. `data-picture`, set by AvatarView: there is a picture.
 */
export function renderLayout({ phase, stalled }: State): void {
  document.body.dataset.phase = phase;
  document.body.toggleAttribute("data-stalled", stalled);
  document.body.dataset.layout = isLive(phase) ? "room" : phase === Phase.Connecting ? "connecting" : "lobby";
}
