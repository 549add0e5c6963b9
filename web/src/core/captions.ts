/** Captions: text streams on the topic `lk.transcription`, shown over the picture. */

export const CAPTION_TOPIC = "lk.transcription";
/** Attribute of a stream: a later stream with the same value replaces it. */
export const SEGMENT_ID = "lk.segment_id";
/** Attribute of our sender's streams: whether the sentence is playing, said or cut off. Other streams lack it. */
export const CAPTION_STATE = "mouthpiece.caption";

/** As our sender states it. */
type SentenceState = "playing" | "said" | "cut";

/** `arriving` and `done` are those of a stream without our attribute: still open, and closed. */
export type CaptionState = SentenceState | "arriving" | "done";

export interface Caption {
  readonly id: string;
  readonly text: string;
  readonly state: CaptionState;
  /** Milliseconds, of the latest change. */
  readonly at: number;
}

/** A caption with the time at which it disappears. */
export interface Line extends Caption {
  /** Milliseconds. */
  readonly until: number;
}

const MAX_LINES = 2;
/** Milliseconds to read a line of which only the start is known, plus a share for each letter. */
const READING = 2_500;
const READING_PER_LETTER = 45;
/** Milliseconds that a sentence stays after its end, where it was shown from its start. */
const AFTER_END = 1_500;
/** Milliseconds after which a line without an end counts as abandoned: longer than the longest sentence. */
const ABANDONED = 60_000;

/** The sender's state of a sentence; null for a stream that is not our sender's. */
export function sentenceState(attributes: Readonly<Record<string, string>> | undefined): SentenceState | null {
  const state = attributes?.[CAPTION_STATE];
  return state === "playing" || state === "said" || state === "cut" ? state : null;
}

/** `lines` with `caption` added, or in the place of the line with its id. */
export function withCaption(lines: readonly Line[], caption: Caption): readonly Line[] {
  const before = lines.find(({ id }) => id === caption.id);
  const line = { ...caption, until: caption.at + shownFor(caption, before) };
  if (before && caption.state !== "playing") return lines.map((other) => (other === before ? line : other));
  return [...lines.filter((other) => other !== before), line].slice(-MAX_LINES);
}

/** The lines to show at `now`, in the order in which they began. */
export function visibleLines(lines: readonly Line[], now: number): readonly Line[] {
  return lines.filter(({ text, until }) => text.trim() !== "" && now < until);
}

/** Milliseconds. */
function shownFor({ state, text }: Caption, before: Caption | undefined): number {
  switch (state) {
    case "arriving":
    case "playing":
      return ABANDONED;
    case "cut":
      return 0;
    case "said":
      if (before?.state === "playing") return AFTER_END;
  }
  return READING + READING_PER_LETTER * text.length;
}
