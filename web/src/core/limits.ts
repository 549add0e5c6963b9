/** Sizes that the service refuses, so that the page need not send what is too large. */

export interface Limits {
  /** Bytes of a request's body; null: not known, the service decides. */
  readonly maxUpload: number | null;
  /** Characters; null: not known. */
  readonly maxText: number | null;
}

export const NO_LIMITS: Limits = { maxUpload: null, maxText: null };

/** Bytes that a form adds to its file, at most. */
const FORM = 2_000;

export function isTooLarge(bytes: number, { maxUpload }: Limits): boolean {
  return maxUpload !== null && bytes + FORM > maxUpload;
}

/** Why `text` is not sent, as a sentence for the viewer; null: it may be. */
export function textRefusal(text: string, { maxText }: Limits): string | null {
  const length = [...text].length; // characters, as the service counts them
  if (maxText === null || length <= maxText) return null;
  const [is, most] = [length, maxText].map((count) => count.toLocaleString("en"));
  return `The text is too long: ${is} characters. This service accepts at most ${most} at once: send it in parts.`;
}
