/** The captions over the picture: those that arrive, and estimates of those that were missed. */

import { type Line, visibleLines, withCaption } from "../core/captions.ts";
import { type CaptionUpdate, LateCaptions } from "../core/late-captions.ts";
import type { Segment } from "../core/segment.ts";
import { find, setText } from "./dom.ts";

const UPDATE_EVERY = 250; // ms

export class CaptionView {
  readonly #captions = find("captions", HTMLElement);
  readonly #late = new LateCaptions();
  #lines: readonly Line[] = [];
  #on = true;

  constructor() {
    setInterval(() => this.#update(), UPDATE_EVERY);
  }

  set on(on: boolean) {
    this.#on = on;
    this.#update();
  }

  /** The viewer has joined, or joined again: the ends of earlier captions may have been missed. */
  joined(): void {
    this.clear();
    this.#late.joined();
  }

  clear(): void {
    this.#lines = [];
    this.#update();
  }

  arrived(caption: CaptionUpdate): void {
    this.#show(this.#late.arrived(caption));
  }

  /** Takes the list of segments, or null while the positions in it are not known. */
  listed(segments: readonly Segment[] | null): void {
    this.#show(segments === null ? this.#late.pause() : this.#late.listed(segments, performance.now()));
  }

  #show(captions: readonly CaptionUpdate[]): void {
    const at = performance.now();
    for (const caption of captions) this.#lines = withCaption(this.#lines, { ...caption, at });
    if (captions.length > 0) this.#update();
  }

  #update(): void {
    const lines = this.#on ? visibleLines(this.#lines, performance.now()) : [];
    this.#captions.hidden = lines.length === 0;
    setText(this.#captions, lines.map(({ text }) => text.trim()).join("\n"));
    this.#captions.scrollTop = this.#captions.scrollHeight;
  }
}
