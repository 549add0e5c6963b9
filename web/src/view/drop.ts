/** Sound files dropped anywhere on the page. */

import { find } from "./dom.ts";

/** Calls `onFiles` for files dropped while `enabled` returns true; the overlay shows while they are over the page. */
export function acceptDrops(enabled: () => boolean, onFiles: (files: readonly File[]) => void): void {
  const overlay = find("drop-overlay", HTMLElement);
  let depth = 0; // dragenter and dragleave come for every element under the pointer
  const carriesFiles = (event: DragEvent) => enabled() && (event.dataTransfer?.types.includes("Files") ?? false);
  const hide = () => {
    depth = 0;
    overlay.hidden = true;
  };
  window.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    overlay.hidden = false;
  });
  window.addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) hide();
  });
  window.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  window.addEventListener("drop", (event) => {
    event.preventDefault(); // the browser would open the file instead of this page
    hide();
    if (carriesFiles(event)) onFiles([...(event.dataTransfer?.files ?? [])]);
  });
}
