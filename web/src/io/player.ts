/** Puts the avatar's tracks on the page and listens to how loud it is. */

import type { RemoteTrack } from "livekit-client";
import { rootMeanSquare, VoiceActivity } from "../core/voice.ts";
import type { Media } from "./visit.ts";

const EVERY = 50; // ms between looks at the loudness

/** What a viewer gets, for measuring. Counters only grow, for as long as the tracks stay the same. */
export interface MediaFigures {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  /** WebRTC's totalAudioEnergy and totalSamplesDuration (seconds). */
  readonly audioEnergy: number;
  readonly audioDuration: number;
  /** Samples made up because none had come in time. */
  readonly concealedSamples: number;
}

export interface PlayerListener {
  voice(heard: boolean): void;
  /** Root mean square, 0…1, some 20 times a second. */
  level(level: number): void;
}

export class Player {
  readonly #video: HTMLVideoElement;
  readonly #audio: HTMLAudioElement;
  readonly #listener: PlayerListener;
  readonly #activity = new VoiceActivity();
  readonly #samples = new Float32Array(2048);
  #shown: { video: RemoteTrack | null; audio: RemoteTrack | null } = { video: null, audio: null };
  #context: AudioContext | null = null;
  #analyser: AnalyserNode | null = null;
  #tap: MediaStreamAudioSourceNode | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #muted = false;
  /** Root mean square, 0…1. */
  level = 0;

  constructor(video: HTMLVideoElement, audio: HTMLAudioElement, listener: PlayerListener) {
    this.#video = video;
    this.#audio = audio;
    this.#listener = listener;
  }

  /** Within a click, so that the browser lets it run. */
  prepare(): void {
    this.#context ??= new AudioContext();
    void this.#context.resume();
    this.#audio.play().catch(() => {}); // Safari lets an element play later that was asked to within a click
  }

  get muted(): boolean {
    return this.#muted;
  }

  set muted(muted: boolean) {
    this.#muted = muted;
    this.#audio.muted = muted;
  }

  show(media: Media | null): void {
    const { video, audio } = media ?? { video: null, audio: null };
    if (video !== this.#shown.video) {
      this.#shown.video?.detach(this.#video);
      if (video) video.attach(this.#video);
      else this.#video.srcObject = null; // no frozen face
    }
    if (audio !== this.#shown.audio) {
      this.#shown.audio?.detach(this.#audio);
      audio?.attach(this.#audio);
      this.#audio.muted = this.#muted; // attaching has reset it
      this.#listenTo(audio);
    }
    this.#shown = { video, audio };
  }

  /** LiveKit's opinion counts where the sound itself cannot be looked at. */
  activeSpeaker(speaking: boolean): void {
    if (this.#context?.state !== "running") this.#listener.voice(speaking);
  }

  async figures(): Promise<MediaFigures> {
    const audio = await inbound(this.#shown.audio);
    return {
      frames: this.#video.getVideoPlaybackQuality().totalVideoFrames,
      width: this.#video.videoWidth,
      height: this.#video.videoHeight,
      audioEnergy: audio?.totalAudioEnergy ?? 0,
      audioDuration: audio?.totalSamplesDuration ?? 0,
      concealedSamples: audio?.concealedSamples ?? 0,
    };
  }

  #listenTo(track: RemoteTrack | null): void {
    this.#tap?.disconnect();
    this.#tap = null;
    this.#activity.clear();
    this.level = 0;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#listener.voice(false);
    if (track === null || this.#context === null) return;
    this.#analyser ??= new AnalyserNode(this.#context, { fftSize: this.#samples.length });
    this.#tap = this.#context.createMediaStreamSource(new MediaStream([track.mediaStreamTrack]));
    this.#tap.connect(this.#analyser);
    this.#timer = setInterval(() => this.#look(), EVERY);
  }

  #look(): void {
    if (this.#analyser === null || this.#context?.state !== "running") return;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    this.level = rootMeanSquare(this.#samples);
    this.#listener.level(this.level);
    this.#listener.voice(this.#activity.push(this.level, performance.now()));
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
