/** What the page calls things. */

import type { Receipt, Segment, SegmentState } from "./segments.ts";
import { Stage, type State } from "./stage.ts";

/** The line that screen readers announce and the pill over the picture shows. */
export function statusLine({ stage, overdue }: State): string {
  switch (stage) {
    case Stage.Landing:
      return "Ready to join";
    case Stage.Connecting:
      return "Connecting…";
    case Stage.Coming:
      return overdue ? "Still waiting for the avatar…" : "The avatar is coming…";
    case Stage.Listening:
      return "Listening";
    case Stage.Speaking:
      return "Speaking";
    case Stage.Reconnecting:
      return "Reconnecting…";
    case Stage.Ended:
      return "Ended";
    case Stage.Failed:
      return "Could not join";
  }
}

export const STATE_WORDS: Readonly<Record<SegmentState, string>> = {
  queued: "Waiting",
  playing: "Speaking",
  paused: "Paused",
  finished: "Said",
  interrupted: "Interrupted",
  cancelled: "Cancelled",
  expired: "Expired",
  ignored: "Ignored",
  failed: "Failed",
  unknown: "Unknown",
};

export const STATE_MEANING: Readonly<Record<SegmentState, string>> = {
  queued: "Waits for its turn",
  playing: "Being said now",
  paused: "Paused; goes on when resumed",
  finished: "Said to its end",
  interrupted: "Stopped while it was said",
  cancelled: "Taken out of the queue before it was said",
  expired: "Waited longer than it was worth saying",
  ignored: "Not wanted while something else was said",
  failed: "Could not be said",
  unknown: "Nobody can tell how much of it was heard",
};

export const RECEIPT_WORDS: Readonly<Record<Receipt, { word: string; meaning: string } | null>> = {
  none: null,
  confirmed: { word: "confirmed", meaning: "The avatar reported it" },
  estimated: { word: "estimated", meaning: "By the clock: the avatar did not report it" },
  unknown: { word: "no receipt", meaning: "The avatar left before it could report" },
};

export function titleOf({ source }: Segment, given: string | undefined): string {
  const fallback = { file: "Sound", text: "Text", url: "Sound from an address", live: "Live sound" }[source.kind];
  return source.text || source.name || given || fallback;
}

export function errorOf({ error }: Segment): string {
  return typeof error === "string" ? error : (error?.detail ?? "");
}

/** Seconds as 0:04, 1:24 or 1:02:03; short sounds with a tenth: 0.8 s. */
export function clock(seconds: number): string {
  if (seconds > 0 && seconds < 1) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
