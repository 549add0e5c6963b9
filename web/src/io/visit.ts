/** One connection to a room on the LiveKit server: who is there, what can be seen and heard of the avatar. */

import {
  ConnectionError,
  ConnectionErrorReason,
  DisconnectReason,
  ParticipantKind,
  type RemoteParticipant,
  type RemoteTrack,
  Room,
  RoomEvent,
  setLogLevel,
  Track,
} from "livekit-client";
import { CAPTION_TOPIC, type Phase, phaseOf, SEGMENT_ID } from "../core/captions.ts";
import { type Cast, cast, isSender, type Presence } from "../core/cast.ts";
import { Trouble } from "./trouble.ts";

/** What there is of the avatar (or of the agent itself, where it speaks without one). */
export interface Media {
  readonly identity: string;
  readonly video: RemoteTrack | null;
  readonly audio: RemoteTrack | null;
}

export interface VisitListener {
  media(media: Media | null): void;
  /** LiveKit's own opinion, a little late. */
  activeSpeaker(speaking: boolean): void;
  caption(id: string, text: string, phase: Phase): void;
  soundBlocked(blocked: boolean): void;
  /** People in the room, oneself included. */
  viewers(count: number): void;
  lost(): void;
  restored(): void;
  /** `final`: nothing that a new attempt would change. */
  over(reason: string, final: boolean): void;
}

setLogLevel("warn"); // at its usual level it writes names of rooms and people into the console

export class Visit {
  readonly #room = new Room({ disconnectOnPageLeave: true });
  readonly #listener: VisitListener;
  readonly #wanted: string | null;
  /** Captions whose end a sender has yet to tell, by id. */
  readonly #spoken = new Map<string, { identity: string; text: string }>();
  #joined = false;

  constructor(listener: VisitListener, wanted: string | null) {
    this.#listener = listener;
    this.#wanted = wanted;
    const look = () => this.#look();
    this.#room
      .on(RoomEvent.ParticipantConnected, look)
      .on(RoomEvent.ParticipantDisconnected, (one) => {
        this.#cut(one);
        look();
      })
      .on(RoomEvent.ParticipantActive, look)
      .on(RoomEvent.ParticipantAttributesChanged, look)
      .on(RoomEvent.TrackSubscribed, look)
      .on(RoomEvent.TrackUnsubscribed, look)
      .on(RoomEvent.ActiveSpeakersChanged, () => this.#listener.activeSpeaker(this.#source()?.isSpeaking ?? false))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => this.#listener.soundBlocked(!this.#room.canPlaybackAudio))
      .on(RoomEvent.SignalReconnecting, () => this.#listener.lost())
      .on(RoomEvent.Reconnecting, () => this.#listener.lost())
      .on(RoomEvent.Reconnected, () => {
        this.#listener.restored();
        this.#look();
      })
      .on(RoomEvent.Disconnected, (reason) => {
        if (this.#joined) this.#listener.over(reasonOf(reason), isFinal(reason));
      });
    this.#room.registerTextStreamHandler(CAPTION_TOPIC, async (reader, { identity }) => {
      if (this.#room.remoteParticipants.get(identity)?.kind !== ParticipantKind.AGENT) return;
      const id = reader.info.attributes?.[SEGMENT_ID] ?? reader.info.id;
      const phase = phaseOf(reader.info.attributes);
      let text = "";
      try {
        for await (const chunk of reader) {
          text += chunk;
          if (phase === null) this.#listener.caption(id, text, "arriving");
        }
      } catch {
        // the stream broke off: what came of it stays
      }
      if (phase === "playing") this.#spoken.set(id, { identity, text });
      else this.#spoken.delete(id);
      this.#listener.caption(id, text, phase ?? "done");
    });
  }

  /** @throws {Trouble} the LiveKit server was not reached or refused. */
  async join(url: string, token: string): Promise<void> {
    try {
      await this.#room.connect(url, token);
    } catch (error) {
      throw new Trouble(connectTrouble(error, url));
    }
    this.#joined = true;
    this.#look();
    this.#listener.soundBlocked(!this.#room.canPlaybackAudio);
  }

  /** Within a click: lets the browser play sound. */
  async allowSound(): Promise<void> {
    try {
      await this.#room.startAudio();
    } catch {
      // the browser still refuses: soundBlocked has said so
    }
  }

  async leave(): Promise<void> {
    this.#joined = false;
    await this.#room.disconnect();
  }

  #cast(): Cast {
    return cast([...this.#room.remoteParticipants.values()].map(presenceOf), this.#wanted);
  }

  /** The avatar, or the agent that speaks for itself because its avatar failed. */
  #source(): RemoteParticipant | undefined {
    const { agent, avatar } = this.#cast();
    return this.#room.remoteParticipants.get(avatar ?? agent ?? "");
  }

  /** Who spoke, or made it speak, has left: the ends of its captions will not come. */
  #cut(one: RemoteParticipant): void {
    const sender = isSender(presenceOf(one));
    for (const [id, { identity, text }] of this.#spoken) {
      if (!sender && identity !== one.identity) continue;
      this.#spoken.delete(id);
      this.#listener.caption(id, text, "cut");
    }
  }

  #look(): void {
    const source = this.#source();
    this.#listener.media(source ? mediaOf(source) : null);
    const others = [...this.#room.remoteParticipants.values()];
    this.#listener.viewers(1 + others.filter(({ kind }) => kind === ParticipantKind.STANDARD).length);
  }
}

function presenceOf({ identity, kind, attributes }: RemoteParticipant): Presence {
  return { identity, agent: kind === ParticipantKind.AGENT, attributes };
}

function mediaOf(source: RemoteParticipant): Media | null {
  const video = trackOf(source, Track.Kind.Video, Track.Source.Camera);
  const audio = trackOf(source, Track.Kind.Audio, Track.Source.Microphone);
  return video || audio ? { identity: source.identity, video, audio } : null;
}

function trackOf(one: RemoteParticipant, kind: Track.Kind, source: Track.Source): RemoteTrack | null {
  const tracks = [...one.trackPublications.values()].filter(({ track }) => track?.kind === kind);
  return (tracks.find((publication) => publication.source === source) ?? tracks[0])?.track ?? null;
}

function isFinal(reason: DisconnectReason | undefined): boolean {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
    case DisconnectReason.DUPLICATE_IDENTITY:
    case DisconnectReason.PARTICIPANT_REMOVED:
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
    case DisconnectReason.USER_REJECTED:
      return true;
    default:
      return false;
  }
}

function reasonOf(reason: DisconnectReason | undefined): string {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return "You left the room.";
    case DisconnectReason.DUPLICATE_IDENTITY:
      return "You joined this room from somewhere else, so this page was let go.";
    case DisconnectReason.PARTICIPANT_REMOVED:
    case DisconnectReason.USER_REJECTED:
      return "You were removed from the room.";
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return "The room was closed.";
    case DisconnectReason.SERVER_SHUTDOWN:
      return "The LiveKit server was shut down.";
    default:
      return "The connection was lost.";
  }
}

function connectTrouble(error: unknown, url: string): string {
  const reason = error instanceof ConnectionError ? error.reason : undefined;
  if (reason === ConnectionErrorReason.NotAllowed) {
    return "The LiveKit server refused the token. The service's LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be those of the server.";
  }
  return (
    `The LiveKit server at ${url} was not reached. Check that it runs and that this device can reach that address; ` +
    "LIVEKIT_PUBLIC_URL of the service says which one browsers use."
  );
}
