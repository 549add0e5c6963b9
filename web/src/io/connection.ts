/** One connection to a room on the LiveKit server: its participants, the avatar's tracks, the captions. */

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
  type TextStreamReader,
  Track,
} from "livekit-client";
import { CAPTION_TOPIC, type CaptionState, SEGMENT_ID, sentenceState } from "../core/captions.ts";
import { isSender, type Participant, type Roles, rolesOf } from "../core/participants.ts";
import { UserFacingError } from "./errors.ts";
import { logForOperator } from "./operator-log.ts";

/** The tracks of the avatar, or of the agent where it speaks without one. */
export interface Media {
  readonly identity: string;
  readonly video: RemoteTrack | null;
  readonly audio: RemoteTrack | null;
}

export interface ConnectionListener {
  /** Whether an agent that is no avatar is in the room. */
  agent(present: boolean): void;
  media(media: Media | null): void;
  /** LiveKit's active-speaker state of the avatar; it lags behind the sound. */
  activeSpeaker(speaking: boolean): void;
  caption(id: string, text: string, state: CaptionState): void;
  soundBlocked(blocked: boolean): void;
  /** People in the room, this viewer included. */
  viewers(count: number): void;
  /** The connection is lost; livekit-client tries to restore it. */
  lost(): void;
  restored(): void;
  /** The connection has ended. `final`: joining again would be wrong. */
  closed(reason: string, final: boolean): void;
}

setLogLevel("warn"); // its default level writes the names of rooms and participants to the console

export class RoomConnection {
  readonly #room = new Room({ disconnectOnPageLeave: true });
  readonly #listener: ConnectionListener;
  readonly #expectedAvatar: string | null;
  /** Captions that are playing by the word of their sender, by id. */
  readonly #playing = new Map<string, { identity: string; text: string }>();
  #joined = false;

  /** `expectedAvatar` is the identity that the service named for the room, or null. */
  constructor(listener: ConnectionListener, expectedAvatar: string | null) {
    this.#listener = listener;
    this.#expectedAvatar = expectedAvatar;
    const update = () => this.#update();
    this.#room
      .on(RoomEvent.ParticipantConnected, update)
      .on(RoomEvent.ParticipantDisconnected, (participant) => {
        this.#cutCaptionsOf(participant);
        update();
      })
      .on(RoomEvent.ParticipantActive, update)
      .on(RoomEvent.ParticipantAttributesChanged, update)
      .on(RoomEvent.TrackSubscribed, update)
      .on(RoomEvent.TrackUnsubscribed, update)
      .on(RoomEvent.ActiveSpeakersChanged, () => this.#listener.activeSpeaker(this.#speaker()?.isSpeaking ?? false))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => this.#listener.soundBlocked(!this.#room.canPlaybackAudio))
      .on(RoomEvent.SignalReconnecting, () => this.#listener.lost())
      .on(RoomEvent.Reconnecting, () => this.#listener.lost())
      .on(RoomEvent.Reconnected, () => {
        this.#listener.restored();
        this.#update();
      })
      .on(RoomEvent.Disconnected, (reason) => {
        if (this.#joined) this.#listener.closed(reasonOf(reason), isFinal(reason));
      });
    this.#room.registerTextStreamHandler(CAPTION_TOPIC, (reader, { identity }) => void this.#read(reader, identity));
  }

  /** @throws {UserFacingError} the LiveKit server did not answer or refused the token. */
  async join(url: string, token: string): Promise<void> {
    try {
      await this.#room.connect(url, token);
    } catch (error) {
      throw new UserFacingError(connectError(error, url));
    }
    this.#joined = true;
    this.#update();
    this.#listener.soundBlocked(!this.#room.canPlaybackAudio);
  }

  /**
   * Call it within a click: a browser then allows sound.
   *
   * @throws {UserFacingError} the browser still refuses.
   */
  async allowSound(): Promise<void> {
    try {
      await this.#room.startAudio();
    } catch {
      throw new UserFacingError(
        "The browser still blocks the sound: allow it for this page in the browser's settings.",
      );
    }
  }

  async leave(): Promise<void> {
    this.#joined = false;
    await this.#room.disconnect();
  }

  #roles(): Roles {
    return rolesOf([...this.#room.remoteParticipants.values()].map(participantOf), this.#expectedAvatar);
  }

  /** The avatar; or the agent, which speaks itself where its avatar failed. */
  #speaker(): RemoteParticipant | undefined {
    const { agent, avatar } = this.#roles();
    return this.#room.remoteParticipants.get(avatar ?? agent ?? "");
  }

  /** Reads one caption to its end and reports it; while it arrives too, where the stream is not our sender's. */
  async #read(reader: TextStreamReader, identity: string): Promise<void> {
    if (this.#room.remoteParticipants.get(identity)?.kind !== ParticipantKind.AGENT) return;
    const id = reader.info.attributes?.[SEGMENT_ID] ?? reader.info.id;
    const state = sentenceState(reader.info.attributes);
    let text = "";
    try {
      for await (const chunk of reader) {
        text += chunk;
        if (state === null) this.#listener.caption(id, text, "arriving");
      }
    } catch {
      // the stream broke off: what arrived stays
    }
    if (state === "playing") this.#playing.set(id, { identity, text });
    else this.#playing.delete(id);
    this.#listener.caption(id, text, state ?? "done");
  }

  /** A participant has left: its captions, or all if it is a sender, will get no end. */
  #cutCaptionsOf(left: RemoteParticipant): void {
    const sender = isSender(participantOf(left));
    for (const [id, { identity, text }] of this.#playing) {
      if (!sender && identity !== left.identity) continue;
      this.#playing.delete(id);
      this.#listener.caption(id, text, "cut");
    }
  }

  #update(): void {
    const speaker = this.#speaker();
    this.#listener.agent(this.#roles().agent !== null);
    this.#listener.media(speaker ? mediaOf(speaker) : null);
    const others = [...this.#room.remoteParticipants.values()];
    this.#listener.viewers(1 + others.filter(({ kind }) => kind === ParticipantKind.STANDARD).length);
  }
}

function participantOf({ identity, kind, attributes }: RemoteParticipant): Participant {
  return { identity, agent: kind === ParticipantKind.AGENT, attributes };
}

function mediaOf(participant: RemoteParticipant): Media | null {
  const video = trackOf(participant, Track.Kind.Video, Track.Source.Camera);
  const audio = trackOf(participant, Track.Kind.Audio, Track.Source.Microphone);
  return video || audio ? { identity: participant.identity, video, audio } : null;
}

/** A subscribed track of that kind, from that source where there is one. */
function trackOf(participant: RemoteParticipant, kind: Track.Kind, source: Track.Source): RemoteTrack | null {
  const tracks = [...participant.trackPublications.values()].filter(({ track }) => track?.kind === kind);
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

function connectError(error: unknown, url: string): string {
  const reason = error instanceof ConnectionError ? error.reason : undefined;
  if (reason === ConnectionErrorReason.NotAllowed) {
    logForOperator("The service's LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be those of the LiveKit server.");
    return "The LiveKit server refused this viewer.";
  }
  logForOperator(
    "LIVEKIT_PUBLIC_URL of the service is the address that browsers use; LIVEKIT_URL where it is not set.",
  );
  return `The LiveKit server at ${url} does not answer. Check that this device can reach that address.`;
}
