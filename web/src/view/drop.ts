/** Sound files dropped anywhere on the page. */

import { find } from "./dom.ts";

export function acceptDrops(wanted: () => boolean, take: (files: readonly File[]) => void): void {
  const veil = find("drop-veil", HTMLElement);
  let depth = 0; // dragenter and dragleave come for every element on the way
  const carriesFiles = (event: DragEvent) => wanted() && (event.dataTransfer?.types.includes("Files") ?? false);
  const lift = () => {
    depth = 0;
    veil.hidden = true;
  };
  window.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    veil.hidden = false;
  });
  window.addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) lift();
  });
  window.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  window.addEventListener("drop", (event) => {
    event.preventDefault(); // the browser would open the file in the page's place
    lift();
    if (carriesFiles(event)) take([...(event.dataTransfer?.files ?? [])]);
  });
}
