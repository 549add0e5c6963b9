/**
 * Turns the service's problems (RFC 9457) into sentences for a viewer.
 *
 * The service writes for its callers and its operator: its sentences name settings, headers and calls of the API, which
 * a viewer can do nothing with.
 */

export interface ProblemDetails {
  /** A stable slug (docs/api.md). */
  readonly type?: string | undefined;
  readonly title?: string | undefined;
  readonly detail?: string | undefined;
}

const BY_TYPE: Readonly<Record<string, string>> = {
  "no-key": "This service needs a key.",
  "wrong-key": "This service does not accept that key.",
  "host-refused": "This service does not answer at this address.",
  "origin-refused": "This service does not answer to this page.",
  "too-large": "It is larger than this service accepts. Send less, or compress it (MP3, FLAC, Ogg).",
  "livekit-refused": "The LiveKit server does not accept this service.",
  "livekit-unavailable": "The service cannot reach the LiveKit server.",
  "tts-bad-voice": "This service does not have that voice. Choose another one.",
  "tts-auth": "The voice's provider does not accept this service.",
};

/** Names of settings, code in backticks, calls of the API, documentation of the service. */
const FOR_OPERATORS = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|`|\b(?:GET|POST|PUT|PATCH|DELETE) |\/v1\/|\/docs\b/;

/** `otherwise` is the sentence where the problem holds none for a viewer. */
export function viewerMessage({ type, title, detail }: ProblemDetails, otherwise: string): string {
  const known = type === undefined ? undefined : BY_TYPE[type];
  if (known !== undefined) return known;
  const sentences = new Intl.Segmenter("en", { granularity: "sentence" }).segment(detail ?? "");
  const kept = [...sentences].map(({ segment }) => segment).filter((sentence) => !FOR_OPERATORS.test(sentence));
  const text = kept.join("").trim();
  if (text !== "") return text;
  return title ? `${title.replace(/\.$/, "")}.` : otherwise;
}
