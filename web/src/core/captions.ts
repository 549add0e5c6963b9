/** Captions: text streams on the topic `lk.transcription`, laid over the picture. */

export const CAPTION_TOPIC = "lk.transcription";
/** Attribute of a stream: a later one with the same value replaces it. */
export const SEGMENT_ID = "lk.segment_id";
/** Attribute of the captions of our sender, which says when a sentence is over; of other streams only their end is known. */
export const PHASE = "mouthpiece.caption";

/** `arriving` and `done`: a stream that is still being written, and one that has ended. The others are the sender's word. */
export type Phase = "arriving" | "done" | "playing" | "said" | "cut";

export interface Caption {
  readonly id: string;
  readonly text: string;
  readonly phase: Phase;
  /** Milliseconds, of the latest change. */
  readonly at: number;
}

export interface Line extends Caption {
  /** Milliseconds: from then on it is not shown. */
  readonly until: number;
}

const SHOWN = 2;
/** Milliseconds that a line stays of whose time only the start is known, and longer the more there is to read. */
const LINGER = 2_500;
const LINGER_PER_LETTER = 45;
/** Milliseconds that a sentence stays that was shown while it was spoken. */
const AFTER = 1_500;
/** Milliseconds after which a line whose end never came is taken for abandoned: more than the longest sentence. */
const ABANDONED = 60_000;

export function phaseOf(attributes: Readonly<Record<string, string>> | undefined): "playing" | "said" | "cut" | null {
  const phase = attributes?.[PHASE];
  return phase === "playing" || phase === "said" || phase === "cut" ? phase : null;
}

export function withCaption(lines: readonly Line[], one: Caption): readonly Line[] {
  const before = lines.find(({ id }) => id === one.id);
  const line = { ...one, until: one.at + stays(one, before) };
  if (before && one.phase !== "playing") return lines.map((other) => (other === before ? line : other));
  return [...lines.filter((other) => other !== before), line].slice(-SHOWN);
}

/** Those to be read at `now`, in the order in which they began. */
export function visible(lines: readonly Line[], now: number): readonly Line[] {
  return lines.filter(({ text, until }) => text.trim() !== "" && now < until);
}

function stays({ phase, text }: Caption, before: Caption | undefined): number {
  switch (phase) {
    case "arriving":
    case "playing":
      return ABANDONED;
    case "cut":
      return 0;
    case "said":
      if (before?.phase === "playing") return AFTER;
  }
  return LINGER + LINGER_PER_LETTER * text.length;
}
