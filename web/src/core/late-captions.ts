/**
 * The caption of a sentence whose beginning the viewer missed.
 *
 * LiveKit does not repeat text streams: who joins in the middle of a sentence gets its caption only with the next one.
 * Until then the sentence is estimated from the text of the segment and its position.
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

export class LateCaptions {
  #joinedJustNow = false;
  /** Ids of text segments that were playing on joining and of which no caption has arrived. */
  #missed: ReadonlySet<string> = new Set();
  #shown: { readonly segment: string; readonly text: string } | null = null;

  /** The viewer has joined, or joined again: the next list holds what already plays. */
  joined(): void {
    this.#joinedJustNow = true;
  }

  /** Takes the list of segments and returns the captions to show. */
  listed(segments: readonly Segment[]): readonly CaptionUpdate[] {
    const playing = segments.filter(({ state, source }) => state === "playing" && source.kind === "text");
    if (this.#joinedJustNow) this.#missed = new Set(playing.map(({ id }) => id));
    this.#joinedJustNow = false;
    const missed = playing.find(({ id }) => this.#missed.has(id));
    if (missed !== undefined) return this.#show(missed);
    const ended = segments.find(({ id }) => id === this.#shown?.segment);
    return this.#end(ended?.state === "finished" ? "said" : "cut");
  }

  /** Takes a caption as it arrived and returns the captions to show: it ends the estimate of its segment. */
  arrived(caption: CaptionUpdate): readonly CaptionUpdate[] {
    const segment = [...this.#missed].find((id) => caption.id.startsWith(`${id}-`));
    if (segment === undefined) return [caption];
    this.#missed = new Set([...this.#missed].filter((id) => id !== segment));
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
