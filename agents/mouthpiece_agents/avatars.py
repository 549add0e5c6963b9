"""The avatar of one job, whoever renders it."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import AgentSession

from mouthpiece.dispatch import Provider
from mouthpiece_agents.avaluma_plugin import PluginAvatar, find_plugin
from mouthpiece_agents.avatar_participant import AvatarSession
from mouthpiece_agents.job_request import Plan
from mouthpiece_agents.settings import Settings

logger = logging.getLogger(__name__)


class Avatar(Protocol):
    """Attached once; asked for as often as it vanishes; closed once, whatever went before."""

    @property
    def avatar_identity(self) -> str: ...

    async def attach(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        """Joins it to the session of a connected room."""

    async def restart(self) -> None:
        """Asks for it. Safe to cancel.

        :raises AvatarStartFailed: it does not come; ``retryable`` says whether it might later.
        """

    async def alive(self) -> bool | None:
        """Whether its server still runs it; None when that cannot be known. Bounded, and never raises."""

    async def aclose(self) -> None:
        """Removes it; bounded, and never raises."""


def avatar_for(plan: Plan, settings: Settings, agent_identity: str) -> Avatar:
    """The avatar that a plan asks for: through Avaluma's plugin where that is installed, else by our own client."""
    if plan.provider is Provider.AVALUMA:
        plugin = find_plugin()
        if plugin is not None:
            logger.info("using Avaluma's plugin %s", plugin.__module__.removesuffix(".avatar"))
            return PluginAvatar(plugin, plan, settings, agent_identity)
    return AvatarSession(
        avatar_id=plan.avatar_id,
        avatar_server_url=plan.server_url,
        license_key=plan.secret.get_secret_value(),
        provider=plan.provider,
        start_timeout=settings.avatar_start_timeout,
        livekit_url=settings.livekit_url,
        livekit_api_key=settings.livekit_api_key,
        livekit_api_secret=settings.livekit_api_secret.get_secret_value(),
        livekit_url_for_avatar=plan.livekit_url,
    )
