/**
 * Who is who in the room: the agent, the avatar, and the sender that is neither.
 *
 * The first rule is the one that LiveKit's front ends follow (components-js, `useVoiceAssistant`), so that this page
 * and they show the same participant. What it does not find is looked for the way the sender does.
 */

const ON_BEHALF = "lk.publish_on_behalf";
const AVATAR = "mouthpiece.avatar";
const AVATAR_PREFIX = "avatar-";
const SENDER_PREFIX = "external-audio-sender";

/** A participant as plain data. */
export interface Presence {
  readonly identity: string;
  /** Its kind is agent. */
  readonly agent: boolean;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Cast {
  readonly agent: string | null;
  readonly avatar: string | null;
}

/** components-js: the agent publishes for nobody, its avatar publishes for the agent. */
export function voiceAssistant(participants: readonly Presence[]): Cast {
  const agents = participants.filter((one) => one.agent);
  const agent = agents.find((one) => !(ON_BEHALF in one.attributes));
  const avatar = agent && agents.find((one) => one.attributes[ON_BEHALF] === agent.identity);
  return { agent: agent?.identity ?? null, avatar: avatar?.identity ?? null };
}

/** `wanted` is the identity that the service named for this room, if it named one. */
export function cast(participants: readonly Presence[], wanted: string | null): Cast {
  const players = participants.filter((one) => one.agent && !isSender(one));
  const { agent, avatar } = voiceAssistant(players);
  const found =
    players.find((one) => one.identity === wanted)?.identity ??
    avatar ??
    players.find((one) => AVATAR in one.attributes)?.identity ??
    players.find((one) => one.identity.startsWith(AVATAR_PREFIX))?.identity ??
    players.find((one) => ON_BEHALF in one.attributes)?.identity ?? // its agent has left
    null;
  return { agent: agent === found ? null : agent, avatar: found };
}

/** A sender publishes on behalf of itself, or carries the sender's name. */
export function isSender(one: Presence): boolean {
  return one.attributes[ON_BEHALF] === one.identity || one.identity.startsWith(SENDER_PREFIX);
}
