"""The avatar as a participant of the room: the token that it joins with, the agent that it belongs to, its removal."""

from __future__ import annotations

import asyncio
import datetime
import enum
import logging
from collections.abc import Collection, Mapping

import aiohttp
from livekit import api

from mouthpiece import wire

logger = logging.getLogger(__name__)

TOKEN_LIFETIME = datetime.timedelta(hours=1)
"""It is used once, to join; a connected participant outlives its token, which the server renews."""
REMOVE_TIMEOUT = 3.0
"""Seconds; a job that ends waits no longer for LiveKit."""


def avatar_token(
    api_key: str, api_secret: str, *, room: str, avatar_id: str, agent_identity: str, own_attributes: bool
) -> str:
    """Return a token like Avaluma's plugin: agent kind, identity and name ``avatar-<id>``, on the agent's behalf.

    :param own_attributes: also grant ``can_update_own_metadata``, which Avaluma's token lacks. Our avatar shows by an
        attribute that it listens, and livekit-server ignores ``set_attributes`` without this grant (1.13.5: no error,
        no effect).
    """
    identity = wire.avatar_identity(avatar_id)
    grants = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=own_attributes or None)
    return (
        api.AccessToken(api_key, api_secret)
        .with_kind("agent")
        .with_identity(identity)
        .with_name(identity)
        .with_grants(grants)
        .with_attributes({wire.ATTR_PUBLISH_ON_BEHALF: agent_identity})
        .with_ttl(TOKEN_LIFETIME)
        .to_jwt()
    )


class Owner(enum.Enum):
    """The agent that a participant with the avatar's identity publishes on behalf of."""

    THIS_AGENT = "this agent"
    """This job's agent: it was interrupted and has come back."""
    OTHER_AGENT = "another agent"
    """Another participant in the room; two agents that restart one avatar would never end."""
    NONE = "none"
    """An agent that has left. The avatar is replaced: front ends would look for its agent in vain."""


def owner(attributes: Mapping[str, str], agent_identity: str, others: Collection[str]) -> Owner:
    """Return the owner of the avatar that has these ``attributes``.

    :param agent_identity: the identity of this job's agent.
    :param others: the identities of the other participants in the room.
    """
    behalf = attributes.get(wire.ATTR_PUBLISH_ON_BEHALF)
    if behalf == agent_identity:
        return Owner.THIS_AGENT
    return Owner.OTHER_AGENT if behalf in others else Owner.NONE


async def remove_avatar(livekit: api.LiveKitAPI, room: str, identity: str, agent_identity: str) -> None:
    """Remove participant ``identity`` from the room if it publishes on behalf of ``agent_identity``; never raises.

    Uses LiveKit's server API, which works whether or not the agent is connected. livekit-agents'
    ``AvatarSession.aclose`` asks for the identity alone, and only while the room is connected, which it no longer is
    when shutdown callbacks run (1.8.9): it would leave this avatar, or remove another agent's.
    """
    who = api.RoomParticipantIdentity(room=room, identity=identity)
    try:
        async with asyncio.timeout(REMOVE_TIMEOUT):
            participant = await livekit.room.get_participant(who)
            if participant.attributes.get(wire.ATTR_PUBLISH_ON_BEHALF) == agent_identity:
                await livekit.room.remove_participant(who)
    except api.TwirpError as error:
        if error.code != api.TwirpErrorCode.NOT_FOUND:
            logger.warning("LiveKit did not remove the avatar from the room: %s", error.code)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        logger.warning("LiveKit could not be asked to remove the avatar from the room: %s", type(error).__name__)
