"""Avaluma's own plugin for livekit-agents, where it is installed.

It is ``livekit.plugins.avaluma``, or ``avaluma_livekit_plugin`` in older versions; no package index has it. Both offer
``AvatarSession(license_key=, avatar_id=, avatar_server_url=)`` with ``start(agent_session=, room=)``. Neither has a
call to stop the avatar or to start it again, so each start makes a new session of the plugin, and a job that ends asks
the server itself to stop it.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import logging
from collections.abc import Callable
from typing import Any

from livekit import api, rtc
from livekit.agents import AgentSession

from mouthpiece.errors import AvatarStartFailed, MouthpieceError
from mouthpiece_agents.avatar_participant import remove_avatar
from mouthpiece_agents.avatar_server_client import AvatarServerClient
from mouthpiece_agents.job_request import JobRequest
from mouthpiece_agents.settings import Settings

logger = logging.getLogger(__name__)

MODULES = ("livekit.plugins.avaluma", "avaluma_livekit_plugin")
"""Newest first."""
CLOSE_TIMEOUT = 3.0
"""Seconds that a job which ends waits for the plugin."""


@functools.cache
def find_plugin() -> Callable[..., Any] | None:
    """Return the plugin's ``AvatarSession`` class, or None where the plugin is not installed."""
    for name in MODULES:
        try:
            found = getattr(importlib.import_module(name), "AvatarSession", None)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                logger.warning("Avaluma's plugin %s cannot be imported: %s is missing", name, error.name)
            continue
        except ImportError as error:
            logger.warning("Avaluma's plugin %s cannot be imported: %s", name, error)
            continue
        if callable(found):
            return found  # type: ignore[no-any-return]
    return None


class SessionView:
    """An ``AgentSession`` for one start of the plugin, which remembers the plugin's subscriptions to cancel them.

    Without it, after each restart of the avatar the plugin would send every state once more.
    """

    def __init__(self, session: AgentSession[Any]) -> None:
        self._session = session
        self._subscribed: list[tuple[Any, Callable[..., Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def on(self, event: Any, callback: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Subscribe as ``AgentSession.on`` does, as a call or as a decorator."""
        if callback is None:
            return functools.partial(self.on, event)
        self._subscribed.append((event, callback))
        return self._session.on(event, callback)

    def release(self) -> None:
        """Cancel every subscription."""
        for event, callback in self._subscribed:
            self._session.off(event, callback)
        self._subscribed.clear()


class PluginAvatar:
    """The avatar of one job, started through Avaluma's plugin."""

    def __init__(
        self, plugin: Callable[..., Any], request: JobRequest, settings: Settings, agent_identity: str
    ) -> None:
        """:param plugin: the plugin's ``AvatarSession`` class."""
        self._plugin = plugin
        self._request = request
        self._settings = settings
        self._agent_identity = agent_identity
        self._session: AgentSession[Any] | None = None
        self._room: rtc.Room | None = None
        self._view: SessionView | None = None
        self._started: Any = None
        self._output: Any = None

    @property
    def avatar_identity(self) -> str:
        return self._request.identity

    async def attach(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        """Keep both for ``restart``: the plugin attaches itself when it starts."""
        self._session, self._room = agent_session, room

    async def restart(self) -> None:
        """Start the avatar with a new session of the plugin, which asks its server up to three times.

        :raises AvatarStartFailed: the plugin raised an error, or was not done within ``avatar_start_timeout``.
        """
        if self._session is None:
            raise RuntimeError("attach before restart")
        await self._release()
        self._view = SessionView(self._session)
        try:
            started = self._plugin(
                license_key=self._request.secret.get_secret_value(),
                avatar_id=self._request.avatar_id,
                avatar_server_url=self._request.server_url,
            )
            self._started = started  # before the start: it must be closed even if that fails
            async with asyncio.timeout(self._settings.avatar_start_timeout):
                await started.start(agent_session=self._view, room=self._room, **self._address(started.start))
            self._output = self._session.output.audio  # the session has none any more once it is closed
        except MouthpieceError:
            await self._release()
            raise
        except Exception as error:  # the plugin has no error class of its own
            await self._release()
            failed = AvatarStartFailed(f"Avaluma's plugin could not start the avatar: {type(error).__name__}")
            failed.retryable = True
            raise failed from error

    async def alive(self) -> bool | None:
        """Return None: Avaluma's server has no call for it."""
        return None

    async def speaking(self) -> bool:
        """Return False: Avaluma's server has no call for it."""
        return False

    async def aclose(self) -> None:
        """Ask the server to stop the avatar, and remove it from the room, in case the server has no such call."""
        if self._room is None:
            return
        room, self._room = self._room, None
        settings = self._settings
        self._stop_waiting()
        await self._stop()
        async with api.LiveKitAPI(
            settings.livekit_url, settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
        ) as livekit:
            await remove_avatar(livekit, room.name, self.avatar_identity, self._agent_identity)
        await self._release()

    def _stop_waiting(self) -> None:
        """Cancel the output's wait for the avatar's video: it logs an error if the room ends (livekit-agents 1.8.9)."""
        waiting = getattr(self._output, "_start_atask", None)
        if isinstance(waiting, asyncio.Task):
            waiting.cancel()

    async def _stop(self) -> None:
        session_id = getattr(self._started, "_session_id", None)  # the plugin shows it nowhere else
        if not isinstance(session_id, str) or not session_id:
            return
        async with AvatarServerClient(
            self._request.server_url,
            self._request.secret.get_secret_value(),
            secret_name="AVALUMA_LICENSE_KEY",
            start_timeout=self._settings.avatar_start_timeout,
            has_stop_call=True,
        ) as server:
            await server.end(session_id)

    async def _release(self) -> None:
        if self._view is not None:
            self._view.release()
        # today's plugin has no `aclose`; one on livekit-agents' base class would have
        close = getattr(self._started, "aclose", None)
        self._view = self._started = None
        if close is None:
            return
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await close()
        except Exception as error:  # the job goes on without this session in any case
            logger.warning("Avaluma's plugin did not close its session: %s", type(error).__name__)

    def _address(self, start: Callable[..., Any]) -> dict[str, str]:
        """Return the argument for LiveKit's address; the older plugin reads it from the environment only."""
        if self._request.livekit_url == self._settings.livekit_url:
            return {}
        if "livekit_url" in inspect.signature(start).parameters:
            return {"livekit_url": self._request.livekit_url}
        logger.warning("this version of Avaluma's plugin ignores MOUTHPIECE_LIVEKIT_URL_FOR_AVATAR")
        return {}
