/**
 * The caption of a sentence whose beginning the viewer missed.
 *
 * LiveKit does not repeat text streams: a viewer who joins in the middle of a sentence gets a caption only with the next
 * one. And it loses those of the first seconds with a room's first avatar, until its data channel is open (LiveKit
 * 1.13). Until a caption of the segment arrives, the sentence is estimated from the text and the position.
 */

import type { CaptionState } from "./captions.ts";
import type { Segment } from "./segment.ts";

export interface CaptionUpdate {
  readonly id: string;
  readonly text: string;
  readonly state: CaptionState;
}

/** A common rate of speech, for a text whose duration is not known yet. */
const LETTERS_PER_SECOND = 14;

/** Milliseconds in which the first caption of a segment arrives, where it arrives at all. */
const GRACE = 2_000;

export class LateCaptions {
  #joinedJustNow = false;
  /** When the estimate of a playing text segment without captions is shown, by segment id. */
  #due: ReadonlyMap<string, number> = new Map();
  /** Ids of segments with captions of their own. */
  readonly #captioned = new Set<string>();
  #shown: { readonly segment: string; readonly text: string } | null = null;

  /** The viewer has joined, or joined again: captions of what already plays were missed. */
  joined(): void {
    this.#joinedJustNow = true;
    this.#due = new Map();
    this.#captioned.clear();
  }

  /** Takes the list of segments at `now`, milliseconds of a monotonic clock, and returns the captions to show. */
  listed(segments: readonly Segment[], now: number): readonly CaptionUpdate[] {
    const playing = segments.filter(({ state, source }) => state === "playing" && source.kind === "text");
    const silent = playing.filter(({ id }) => !this.#captioned.has(id));
    const due = this.#joinedJustNow ? now : now + GRACE;
    this.#joinedJustNow = false;
    this.#due = new Map(silent.map(({ id }) => [id, this.#due.get(id) ?? due]));
    const missed = silent.find(({ id }) => (this.#due.get(id) ?? due) <= now);
    if (missed !== undefined) return this.#show(missed);
    const ended = segments.find(({ id }) => id === this.#shown?.segment);
    return this.#end(ended?.state === "finished" ? "said" : "cut");
  }

  /** Ends the estimate while the position is not known. */
  pause(): readonly CaptionUpdate[] {
    return this.#end("cut");
  }

  /** Takes a caption as it arrived and returns the captions to show: it ends the estimate of its segment. */
  arrived(caption: CaptionUpdate): readonly CaptionUpdate[] {
    const segment = caption.id.replace(/-\d+$/, ""); // our sender's ids: segment and number of the sentence
    this.#captioned.add(segment);
    if (this.#shown?.segment !== segment) return [caption];
    if (caption.state !== "playing") return this.#end(caption.state);
    return [...this.#end(this.#shown.text === caption.text ? "cut" : "said"), caption];
  }

  #show(segment: Segment): readonly CaptionUpdate[] {
    const text = sentenceAt(segment);
    if (this.#shown?.segment === segment.id && this.#shown.text === text) return [];
    const ended = this.#shown !== null && this.#shown.segment !== segment.id ? this.#end("cut") : [];
    this.#shown = { segment: segment.id, text };
    return [...ended, { id: captionId(segment.id), text, state: "playing" }];
  }

  #end(state: CaptionState): readonly CaptionUpdate[] {
    if (this.#shown === null) return [];
    const { segment, text } = this.#shown;
    this.#shown = null;
    return [{ id: captionId(segment), text, state }];
  }
}

function captionId(segment: string): string {
  return `late-${segment}`;
}

/** The sentence at the segment's position, as if each letter took the same time. */
export function sentenceAt({ source, audio, position }: Segment): string {
  const sentences = [...new Intl.Segmenter(undefined, { granularity: "sentence" }).segment(source.text ?? "")];
  const length = source.text?.length ?? 0;
  const lettersPerSecond = audio?.duration ? length / audio.duration : LETTERS_PER_SECOND;
  const letters = (position ?? 0) * lettersPerSecond;
  const begun = sentences.filter(({ index }) => index <= letters);
  return (begun.at(-1)?.segment ?? "").trim();
}
