/** Which content type a chosen file is sent with, and which files are refused before they are sent. */

import { formatSize } from "./labels.ts";
import { isTooLarge, type Limits } from "./limits.ts";

export interface FileFacts {
  readonly name: string;
  /** The browser's guess; often empty. */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
}

const BY_EXTENSION: Readonly<Record<string, string>> = {
  aac: "audio/aac",
  flac: "audio/flac",
  m4a: "audio/mp4",
  mp3: "audio/mpeg",
  mp4: "audio/mp4",
  oga: "audio/ogg",
  ogg: "audio/ogg",
  opus: "audio/ogg",
  wav: "audio/wav",
  wave: "audio/wav",
  webm: "audio/webm",
};

/** Containers that browsers call video or application even where they hold only sound. */
const SOUND_CONTAINERS: Readonly<Record<string, string>> = {
  "application/ogg": "audio/ogg",
  "video/mp4": "audio/mp4",
  "video/ogg": "audio/ogg",
  "video/webm": "audio/webm",
};

export function contentType({ name, type }: FileFacts): string {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const known = SOUND_CONTAINERS[type] ?? (type.startsWith("audio/") ? type : undefined);
  return known ?? BY_EXTENSION[extension] ?? "application/octet-stream";
}

/** Why `file` is not sent, as a sentence for the viewer; null leaves the decision to the service. */
export function refusal(file: FileFacts, limits: Limits): string | null {
  if (file.size === 0) return `“${file.name}” is empty. Choose a sound file such as WAV, MP3, FLAC or Ogg.`;
  if (contentType(file) === "application/octet-stream" && /^(image|text|font|video|application)\/./.test(file.type)) {
    if (file.type === "application/octet-stream") return null;
    return `“${file.name}” is not a sound file. Choose one such as WAV, MP3, FLAC or Ogg.`;
  }
  if (!isTooLarge(file.size, limits)) return null;
  const [is, most] = [formatSize(file.size), formatSize(limits.maxUpload ?? 0)];
  return `“${file.name}” is too large: ${is}. This service accepts at most ${most}: send less, or compress it (MP3, FLAC, Ogg).`;
}
