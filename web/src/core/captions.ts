/** Captions: text streams on the topic `lk.transcription`, laid over the picture. */

export const CAPTION_TOPIC = "lk.transcription";

export interface Caption {
  /** Attribute `lk.segment_id` of the stream, else the stream's own id: a later stream with the same one replaces it. */
  readonly id: string;
  readonly text: string;
  /** The stream has ended. */
  readonly done: boolean;
  /** Milliseconds, of the latest change. */
  readonly at: number;
}

const SHOWN = 2;
/** Milliseconds that a finished caption stays, and longer the more there is to read. */
const LINGER = 2_500;
const LINGER_PER_LETTER = 45;
/** Milliseconds after which an unfinished one is taken for abandoned. */
const ABANDONED = 20_000;

export function withCaption(captions: readonly Caption[], one: Caption): readonly Caption[] {
  const rest = captions.filter(({ id }) => id !== one.id);
  return [...rest, one].slice(-SHOWN);
}

/** Those to be read at `now`, oldest first. */
export function visible(captions: readonly Caption[], now: number): readonly Caption[] {
  return captions.filter(({ text, done, at }) => {
    const stays = done ? LINGER + LINGER_PER_LETTER * text.length : ABANDONED;
    return text.trim() !== "" && now - at < stays;
  });
}
