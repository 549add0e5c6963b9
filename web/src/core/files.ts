/** What a chosen file is sent as, and what need not be sent at all. */

export interface FileFacts {
  readonly name: string;
  /** As the browser guesses it; often empty. */
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

/** Browsers call these containers video even where they hold sound alone. */
const SOUND_IN: Readonly<Record<string, string>> = {
  "application/ogg": "audio/ogg",
  "video/mp4": "audio/mp4",
  "video/ogg": "audio/ogg",
  "video/webm": "audio/webm",
};

export function contentType({ name, type }: FileFacts): string {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const known = SOUND_IN[type] ?? (type.startsWith("audio/") ? type : undefined);
  return known ?? BY_EXTENSION[extension] ?? "application/octet-stream";
}

/** A sentence, if it is clear without asking the service that this is no sound; the service decides the rest. */
export function refusal(file: FileFacts): string | null {
  if (file.size === 0) return `“${file.name}” is empty. Choose a sound file such as WAV, MP3, FLAC or Ogg.`;
  if (contentType(file) === "application/octet-stream" && /^(image|text|font|video|application)\/./.test(file.type)) {
    if (file.type === "application/octet-stream") return null;
    return `“${file.name}” is not a sound file. Choose one such as WAV, MP3, FLAC or Ogg.`;
  }
  return null;
}
