/** Plays the avatar's tracks in the page's elements and measures the loudness of its sound. */

import type { RemoteTrack } from "livekit-client";
import { rootMeanSquare, VoiceActivity } from "../core/activity.ts";
import { StallDetector } from "../core/stall.ts";
import type { Media } from "./connection.ts";

/** Milliseconds. */
const MEASURE_EVERY = 50;
const COUNT_FRAMES_EVERY = 500;

/** Counters of the media received. They grow as long as the tracks stay the same. */
export interface MediaFigures {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  /** WebRTC's totalAudioEnergy and totalSamplesDuration (seconds). */
  readonly audioEnergy: number;
  readonly audioDuration: number;
  /** Samples that the browser invented because none had arrived in time. */
  readonly concealedSamples: number;
}

export interface PlayerListener {
  /** Whether the avatar is heard; called at every measurement. */
  audible(audible: boolean): void;
  /** Root mean square, 0…1, 20 times a second. */
  level(level: number): void;
  /** Whether the picture stands still; called at every count of its frames. */
  stalled(stalled: boolean): void;
}

export class Player {
  readonly #video: HTMLVideoElement;
  readonly #audio: HTMLAudioElement;
  readonly #listener: PlayerListener;
  readonly #activity = new VoiceActivity();
  readonly #stall = new StallDetector();
  readonly #samples = new Float32Array(2048);
  #attached: { video: RemoteTrack | null; audio: RemoteTrack | null } = { video: null, audio: null };
  #context: AudioContext | null = null;
  #analyser: AnalyserNode | null = null;
  #source: MediaStreamAudioSourceNode | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #muted = false;
  /** Root mean square, 0…1. */
  level = 0;

  constructor(video: HTMLVideoElement, audio: HTMLAudioElement, listener: PlayerListener) {
    this.#video = video;
    this.#audio = audio;
    this.#listener = listener;
    setInterval(() => this.#countFrames(), COUNT_FRAMES_EVERY);
    document.addEventListener("visibilitychange", () => this.#stall.clear());
  }

  /** Call it within a click: a browser then allows sound. */
  prepare(): void {
    this.#context ??= new AudioContext();
    void this.#context.resume();
    this.#audio.play().catch(() => {}); // Safari lets an element play later if a click has started it once
  }

  get muted(): boolean {
    return this.#muted;
  }

  set muted(muted: boolean) {
    this.#muted = muted;
    this.#audio.muted = muted;
  }

  /** Attaches the tracks of `media` and detaches those of before; null detaches all. */
  attach(media: Media | null): void {
    const { video, audio } = media ?? { video: null, audio: null };
    if (video !== this.#attached.video) {
      this.#attached.video?.detach(this.#video);
      this.#stall.clear();
      if (video) video.attach(this.#video);
      else this.#video.srcObject = null; // or the last picture would stay
    }
    if (audio !== this.#attached.audio) {
      this.#attached.audio?.detach(this.#audio);
      audio?.attach(this.#audio);
      this.#audio.muted = this.#muted; // attach() has reset it
      this.#measure(audio);
    }
    this.#attached = { video, audio };
  }

  /** LiveKit's active-speaker state counts where the sound itself cannot be measured. */
  activeSpeaker(speaking: boolean): void {
    if (this.#context?.state !== "running") this.#listener.audible(speaking);
  }

  async figures(): Promise<MediaFigures> {
    const audio = await inbound(this.#attached.audio);
    return {
      frames: this.#video.getVideoPlaybackQuality().totalVideoFrames,
      width: this.#video.videoWidth,
      height: this.#video.videoHeight,
      audioEnergy: audio?.totalAudioEnergy ?? 0,
      audioDuration: audio?.totalSamplesDuration ?? 0,
      concealedSamples: audio?.concealedSamples ?? 0,
    };
  }

  #countFrames(): void {
    if (this.#attached.video === null || document.hidden) return; // a hidden page shows no frames
    const { totalVideoFrames } = this.#video.getVideoPlaybackQuality();
    this.#listener.stalled(this.#stall.push(totalVideoFrames, performance.now()));
  }

  #measure(track: RemoteTrack | null): void {
    this.#source?.disconnect();
    this.#source = null;
    this.#activity.clear();
    this.level = 0;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#listener.audible(false);
    if (track === null || this.#context === null) return;
    this.#analyser ??= new AnalyserNode(this.#context, { fftSize: this.#samples.length });
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track.mediaStreamTrack]));
    this.#source.connect(this.#analyser);
    this.#timer = setInterval(() => this.#takeLevel(), MEASURE_EVERY);
  }

  #takeLevel(): void {
    if (this.#analyser === null || this.#context?.state !== "running") return;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    this.level = rootMeanSquare(this.#samples);
    this.#listener.level(this.level);
    this.#listener.audible(this.#activity.push(this.level, performance.now()));
  }
}

interface Inbound {
  readonly type: string;
  readonly totalAudioEnergy?: number;
  readonly totalSamplesDuration?: number;
  readonly concealedSamples?: number;
}

async function inbound(track: RemoteTrack | null): Promise<Inbound | undefined> {
  const report = await track?.getRTCStatsReport();
  return [...((report?.values() as Iterable<Inbound>) ?? [])].find(({ type }) => type === "inbound-rtp");
}
