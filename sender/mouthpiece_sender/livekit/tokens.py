"""Tokens: the sender's own, and those that it gives to viewers."""

from __future__ import annotations

import datetime

from livekit import api

from mouthpiece import wire
from mouthpiece.dispatch import WantedAgent
from mouthpiece.errors import MouthpieceError
from mouthpiece_sender.livekit.server_api import LiveKitAccess

SENDER_LIFETIME = datetime.timedelta(minutes=10)
"""A token is made for each join. The server renews it while the participant is connected."""
VIEWER_LIFETIME = datetime.timedelta(hours=6)


class ReservedIdentity(MouthpieceError):
    """A viewer asked for an identity that belongs to an avatar, an agent or a sender."""

    slug = "reserved-identity"


def sender_token(access: LiveKitAccess, room: str, identity: str, name: str) -> str:
    """A token for one join of the sender, of agent kind: Avaluma's avatar ignores others (Avaluma, “External audio”).

    ``lk.publish_on_behalf`` is the sender's own identity: front ends take an agent-kind participant without it for
    *the* agent, and one that carries the agent's identity for the agent's avatar (docs/wire.md, way 8).
    """
    return (
        api.AccessToken(access.api_key, access.api_secret)
        .with_kind("agent")
        .with_identity(identity)
        .with_name(name)
        .with_attributes({wire.ATTR_PUBLISH_ON_BEHALF: identity})
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .with_ttl(SENDER_LIFETIME)
        .to_jwt()
    )


def viewer_token(
    access: LiveKitAccess,
    room: str,
    identity: str,
    name: str | None = None,
    *,
    agent_name: str | None = None,
    agent_metadata: str = "",
    empty_timeout: int | None = None,
    departure_timeout: int | None = None,
    lifetime: datetime.timedelta = VIEWER_LIFETIME,
    data: bool = False,
) -> str:
    """A token for a viewer. With ``agent_name`` it carries the dispatch: the first viewer that joins with it, by any
    LiveKit client, brings the avatar.

    The viewer may publish a microphone (for voice agents), nothing else: no picture, and nothing on another
    participant's behalf, because it cannot change its own attributes.

    :param data: it may publish data, too. One viewer's packets can delay everybody's speech.
    :raises ReservedIdentity: the identity is one that avatars, agents or senders go by.
    """
    if identity.startswith(wire.RESERVED_IDENTITY_PREFIXES):
        raise ReservedIdentity(
            f"An identity must not begin with {', '.join(wire.RESERVED_IDENTITY_PREFIXES)}: choose another one."
        )
    token = (
        api.AccessToken(access.api_key, access.api_secret)
        .with_identity(identity)
        .with_name(name or identity)
        .with_grants(
            api.VideoGrants(
                room_join=True,
                room=room,
                can_publish_sources=["microphone"],
                can_publish_data=data,
                can_update_own_metadata=False,
            )
        )
        .with_ttl(lifetime)
    )
    if agent_name is not None:
        config = api.RoomConfiguration(
            agents=[api.RoomAgentDispatch(agent_name=agent_name, metadata=agent_metadata)],
            empty_timeout=empty_timeout or 0,
            departure_timeout=departure_timeout or 0,
            sync_streams=True,
        )
        wanted = WantedAgent(agent_name, agent_metadata)
        token = token.with_room_config(config).with_attributes({wire.ATTR_AGENT: wanted.dumps()})
    return str(token.to_jwt())
