"""Takes the avatar out of the room through LiveKit's server API: it works whether or not the agent is connected."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
from livekit import api

from mouthpiece import wire

logger = logging.getLogger(__name__)

REMOVE_TIMEOUT = 3.0
"""Seconds; a job that ends waits no longer for LiveKit."""


async def remove_avatar(livekit: api.LiveKitAPI, room: str, identity: str, behalf: str) -> None:
    """Removes the avatar if it is there and publishes on behalf of ``behalf``; never raises.

    livekit-agents' ``AvatarSession.aclose`` asks for the identity alone, and only while the room is connected, which it
    no longer is when shutdown callbacks run (1.8.9): it would leave this avatar, or remove somebody else's.
    """
    who = api.RoomParticipantIdentity(room=room, identity=identity)
    try:
        async with asyncio.timeout(REMOVE_TIMEOUT):
            participant = await livekit.room.get_participant(who)
            if participant.attributes.get(wire.ATTR_PUBLISH_ON_BEHALF) == behalf:
                await livekit.room.remove_participant(who)
    except api.TwirpError as error:
        if error.code != api.TwirpErrorCode.NOT_FOUND:
            logger.warning("LiveKit did not remove the avatar from the room: %s", error.code)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        logger.warning("LiveKit could not be asked to remove the avatar from the room: %s", type(error).__name__)
