"""The avatar of one job: the calls that every kind of avatar has, and the choice between the kinds."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import AgentSession

from mouthpiece.dispatch import Provider
from mouthpiece_agents.avaluma_plugin import PluginAvatar, find_plugin
from mouthpiece_agents.avatar_session import AvatarSession
from mouthpiece_agents.job_request import JobRequest
from mouthpiece_agents.settings import Settings

logger = logging.getLogger(__name__)


class Avatar(Protocol):
    """``attach`` once, then ``restart`` whenever the avatar is missing; ``aclose`` once, whatever was called before."""

    @property
    def avatar_identity(self) -> str: ...

    async def attach(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        """Send the audio and the states of ``agent_session`` to the avatar. ``room`` is connected.

        :raises ConfigurationError: LiveKit's address, key or secret is missing.
        """

    async def restart(self) -> None:
        """Ask the avatar server for the avatar. Safe to cancel.

        :raises AvatarStartFailed: the server does not start it; ``retryable`` says whether a later call may succeed.
        """

    async def alive(self) -> bool | None:
        """Return whether the avatar server still runs the avatar, or None if it cannot be asked.

        Bounded, and never raises.
        """

    async def speaking(self) -> bool:
        """Return whether the avatar speaks now; False if it cannot be asked. Bounded, and never raises."""

    async def aclose(self) -> None:
        """Remove the avatar from the room. Bounded, and never raises."""


def create_avatar(request: JobRequest, settings: Settings, agent_identity: str) -> Avatar:
    """Return the avatar for ``request``: through Avaluma's plugin where it is installed, else through our own client.

    :param agent_identity: the identity of the job's agent in the room.
    """
    if request.provider is Provider.AVALUMA:
        plugin = find_plugin()
        if plugin is not None:
            logger.info("using Avaluma's plugin %s", plugin.__module__.removesuffix(".avatar"))
            return PluginAvatar(plugin, request, settings, agent_identity)
    return AvatarSession(
        avatar_id=request.avatar_id,
        avatar_server_url=request.server_url,
        license_key=request.secret.get_secret_value(),
        provider=request.provider,
        start_timeout=settings.avatar_start_timeout,
        livekit_url=settings.livekit_url,
        livekit_api_key=settings.livekit_api_key,
        livekit_api_secret=settings.livekit_api_secret.get_secret_value(),
        livekit_url_for_avatar=request.livekit_url,
    )
