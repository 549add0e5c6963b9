/** The texts that the page shows for states, segments, times and sizes. */

import { Phase, type State } from "./phase.ts";
import type { Receipt, Segment, SegmentState } from "./segment.ts";
import { viewerMessage } from "./viewer-message.ts";

/** The status over the picture; screen readers announce it. */
export function statusLine({ phase, wait, avatarSeen, stalled }: State): string {
  switch (phase) {
    case Phase.Landing:
      return "Ready to join";
    case Phase.Connecting:
      return "Connecting…";
    case Phase.Coming:
      if (avatarSeen) return "The avatar is away…";
      return wait !== null ? "Still waiting for the avatar…" : "The avatar is coming…";
    case Phase.Listening:
      return stalled ? "The picture has stopped…" : "Listening";
    case Phase.Speaking:
      return stalled ? "The picture has stopped…" : "Speaking";
    case Phase.Reconnecting:
      return "Reconnecting…";
    case Phase.Ended:
      return "Ended";
    case Phase.Failed:
      return "Could not join";
  }
}

/** What may keep the avatar from coming, once it has not come for a minute; empty before. */
export function waitingHint({ wait, agent }: State): string {
  if (wait !== "missing") return "";
  const why = agent
    ? "Its agent is here: it could not start the avatar, or is still starting it."
    : "It seems that no worker is running.";
  return `No avatar has come for a minute. ${why}`;
}

export const STATE_LABELS: Readonly<Record<SegmentState, string>> = {
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

export const STATE_DESCRIPTIONS: Readonly<Record<SegmentState, string>> = {
  queued: "Waits for its turn",
  playing: "Being said now",
  paused: "Paused; goes on when resumed",
  finished: "Said to its end",
  interrupted: "Stopped while it was said",
  cancelled: "Taken out of the queue before it was said",
  expired: "Waited longer than it was worth saying",
  ignored: "Not wanted while something else was said",
  failed: "Could not be said",
  unknown: "It is not known how much of it was heard",
};

export const RECEIPT_LABELS: Readonly<Record<Receipt, { label: string; description: string } | null>> = {
  none: null,
  confirmed: { label: "confirmed", description: "The avatar reported it" },
  heard: { label: "heard", description: "It was heard on the avatar's track" },
  estimated: { label: "estimated", description: "By the clock: the avatar did not report it" },
  unknown: { label: "no receipt", description: "The avatar left before it could report" },
};

/** The segment's text or name, else `name`, else its kind. */
export function titleOf({ source }: Segment, name: string | undefined): string {
  const kind = { file: "Sound", text: "Text", url: "Sound from an address", live: "Live sound" }[source.kind];
  return source.text || source.name || name || kind;
}

/** A title as part of a sentence. */
export function shortened(title: string): string {
  const letters = [...title];
  return letters.length <= 40 ? title : `${letters.slice(0, 39).join("").trimEnd()}…`;
}

/** Why the segment failed, for a viewer; empty where it did not. */
export function errorOf({ error }: Segment): string {
  return error === null ? "" : viewerMessage(error, "It could not be said.");
}

/** Why the position of a playing segment is not known now, in two words; null: it is known. */
export function clockStop({ phase, stalled }: State, serviceAnswers: boolean): string | null {
  if (phase === Phase.Reconnecting) return "connection lost";
  if (phase === Phase.Coming) return "avatar away";
  if (!serviceAnswers) return "last known";
  return stalled ? "picture stopped" : null;
}

/** For several segments of one state: 3 cancelled. */
export function groupLabel(state: SegmentState, count: number): string {
  return `${count} ${STATE_LABELS[state].toLowerCase()}`;
}

/** Seconds as 0:04, 1:24 or 1:02:03; below one second with a tenth: 0.8 s. */
export function formatDuration(seconds: number): string {
  if (seconds > 0 && seconds < 1) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** Bytes as 124 kB or 57.6 MB. */
export function formatSize(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
