/**
 * Finds the agent and the avatar among a room's participants, and keeps the sender apart from both.
 *
 * The first rule is that of LiveKit's front ends (components-js, `useVoiceAssistant`), so that this page and they show
 * the same participant. Where it finds no avatar, the rules of our sender follow.
 */

const ON_BEHALF = "lk.publish_on_behalf";
const AVATAR = "mouthpiece.avatar";
const AVATAR_PREFIX = "avatar-";
const SENDER_PREFIX = "external-audio-sender";

/** A participant as plain data. */
export interface Participant {
  readonly identity: string;
  /** Its kind is agent. */
  readonly agent: boolean;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Identities, or null where there is none. */
export interface Roles {
  readonly agent: string | null;
  readonly avatar: string | null;
}

/** The rule of components-js: the agent publishes on nobody's behalf, its avatar publishes on the agent's. */
export function voiceAssistant(participants: readonly Participant[]): Roles {
  const agents = participants.filter((one) => one.agent);
  const agent = agents.find((one) => !(ON_BEHALF in one.attributes));
  const avatar = agent && agents.find((one) => one.attributes[ON_BEHALF] === agent.identity);
  return { agent: agent?.identity ?? null, avatar: avatar?.identity ?? null };
}

/** `expected` is the avatar's identity as the service named it for this room, or null. */
export function rolesOf(participants: readonly Participant[], expected: string | null): Roles {
  const candidates = participants.filter((one) => one.agent && !isSender(one));
  const { agent, avatar } = voiceAssistant(candidates);
  const found =
    candidates.find((one) => one.identity === expected)?.identity ??
    avatar ??
    candidates.find((one) => AVATAR in one.attributes)?.identity ??
    candidates.find((one) => one.identity.startsWith(AVATAR_PREFIX))?.identity ??
    candidates.find((one) => ON_BEHALF in one.attributes)?.identity ?? // its agent has left
    null;
  return { agent: agent === found ? null : agent, avatar: found };
}

/** A sender publishes on its own behalf, or its identity has the sender's prefix. */
export function isSender(one: Participant): boolean {
  return one.attributes[ON_BEHALF] === one.identity || one.identity.startsWith(SENDER_PREFIX);
}
