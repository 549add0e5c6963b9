"""Our avatar session for livekit-agents, on its ``AvatarSession`` base class: for the local avatar and Avaluma's.

It replaces Avaluma's plugin (which no package index has) and is used the same way::

    avatar = AvatarSession(avatar_id="demo", avatar_server_url="http://127.0.0.1:8080")
    await avatar.start(session, room=ctx.room)
    await session.start(agent=agent, room=ctx.room)
"""

from __future__ import annotations

import os
from typing import Any, Self

from livekit import api, rtc
from livekit.agents import AgentSession, get_job_context
from livekit.agents.voice import avatar

from mouthpiece import wire
from mouthpiece.dispatch import Provider, check_avatar_id
from mouthpiece.errors import ConfigurationError
from mouthpiece_agents.avatar_participant import avatar_token, remove_avatar
from mouthpiece_agents.avatar_server_client import AvatarServerClient
from mouthpiece_agents.job_request import read_job_request
from mouthpiece_agents.settings import load_settings
from mouthpiece_agents.state_relay import StateRelay

SAMPLE_RATE = 16_000
"""Hertz; Avaluma's plugin sends the same."""


class AvatarSession(avatar.AvatarSession[str]):
    """One avatar in one room, started by an avatar server."""

    def __init__(
        self,
        *,
        avatar_id: str,
        avatar_server_url: str = "http://127.0.0.1:8080",
        license_key: str = "mouthpiece",
        provider: Provider = Provider.LOCAL,
        start_timeout: float = 60.0,
        livekit_url: str | None = None,
        livekit_api_key: str | None = None,
        livekit_api_secret: str | None = None,
        livekit_url_for_avatar: str | None = None,
    ) -> None:
        """
        :param license_key: the ``api-secret`` for the avatar server; the local one accepts any on loopback.
        :param start_timeout: seconds for one start, its retries included.
        :param livekit_url: this, the key and the secret default to ``LIVEKIT_URL``, ``LIVEKIT_API_KEY`` and
            ``LIVEKIT_API_SECRET``, as in LiveKit's own plugins; a worker sets them for its jobs.
        :param livekit_url_for_avatar: the address that the avatar server joins, where it is not ``livekit_url``.
        :raises ValueError: ``avatar_id`` cannot be part of an identity.
        """
        super().__init__()
        self._avatar_id = check_avatar_id(avatar_id)
        self._provider = provider
        self._server = AvatarServerClient(
            avatar_server_url,
            license_key,
            secret_name=_secret_name(provider),
            start_timeout=start_timeout,
            has_stop_call=provider is Provider.AVALUMA,
        )
        self._livekit = (livekit_url, livekit_api_key, livekit_api_secret)
        self._livekit_url_for_avatar = livekit_url_for_avatar
        self._relay: StateRelay | None = None
        self._output: _Output | None = None
        self._room_name = ""
        self._agent_identity = ""
        self._session_id: str | None = None
        self._open = False

    @classmethod
    def from_environment(cls) -> Self:
        """Return the avatar that the worker's settings ask for: ``AVATAR_PROVIDER`` and what belongs to it.

        :raises ConfigurationError: a setting is missing or wrong; the message names it.
        """
        settings = load_settings()
        request = read_job_request("", settings)
        return cls(
            avatar_id=request.avatar_id,
            avatar_server_url=request.server_url,
            license_key=request.secret.get_secret_value(),
            provider=request.provider,
            start_timeout=settings.avatar_start_timeout,
            livekit_url_for_avatar=request.livekit_url,
        )

    @property
    def avatar_identity(self) -> str:
        return wire.avatar_identity(self._avatar_id)

    @property
    def provider(self) -> str:
        return self._provider.value

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        """Send the session's audio and states to the avatar, and ask the avatar server for the avatar.

        The session's speech goes to the avatar, as with LiveKit's plugins; a session without TTS has none, and the
        output then costs nothing. Other senders can still reach the avatar: ours plays the streams of every agent in
        its room, and a stock receiver binds to the room's first agent, which this one is, with or without an output.

        :raises AvatarStartFailed: the server does not start the avatar.
        :raises ConfigurationError: LiveKit's address, key or secret is missing.
        """
        await self.attach(agent_session, room)
        await self.restart()

    async def attach(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        """Do the first half of ``start``: everything but the request to the avatar server.

        :raises ConfigurationError: LiveKit's address, key or secret is missing.
        """
        self._access()
        context = get_job_context(required=False)
        self._room_name = room.name
        self._agent_identity = context.token_claims().identity if context else room.local_participant.identity
        await super().start(agent_session, room)
        await self._server.__aenter__()
        self._open = True
        self._relay = StateRelay(agent_session, room, self.avatar_identity)
        self._relay.start()
        agent_session.output.audio = self._output = _Output(
            room,
            destination_identity=self.avatar_identity,
            sample_rate=SAMPLE_RATE,
            # our avatar receives from the moment it joins; Avaluma's is ready once it publishes video
            wait_remote_track=rtc.TrackKind.KIND_VIDEO if self._provider is Provider.AVALUMA else None,
        )

    async def restart(self) -> None:
        """Ask the avatar server for the avatar. An avatar that is still in the room is replaced by the new one.

        :raises AvatarStartFailed: the server does not start the avatar.
        :raises ConfigurationError: LiveKit's address, key or secret is missing.
        """
        url, key, secret = self._access()
        token = avatar_token(
            key,
            secret,
            room=self._room_name,
            avatar_id=self._avatar_id,
            agent_identity=self._agent_identity,
            own_attributes=self._provider is Provider.LOCAL,
        )
        self._session_id = await self._server.start(self._avatar_id, self._livekit_url_for_avatar or url, token)

    async def alive(self) -> bool | None:
        """Return whether the avatar server still runs the session, or None if it cannot be asked."""
        session_id = self._session_id
        if session_id is None or self._provider is not Provider.LOCAL:
            return None
        known = await self._server.knows(session_id)
        return known if session_id == self._session_id else None

    async def speaking(self) -> bool:
        """Return whether the avatar speaks now; False if the avatar server cannot be asked."""
        session_id = self._session_id
        if session_id is None or self._provider is not Provider.LOCAL:
            return False
        return await self._server.speaks(session_id)

    async def aclose(self) -> None:
        """End the avatar's session and remove the avatar from the room. Can be repeated."""
        if not self._open:
            return
        self._open = False
        if self._relay is not None:
            await self._relay.aclose()
        if self._output is not None:
            self._output.stop_waiting()
        if self._session_id is not None:
            await self._server.end(self._session_id)
        await self._server.__aexit__(None, None, None)
        url, key, secret = self._access()
        async with api.LiveKitAPI(url, key, secret) as livekit:
            await remove_avatar(livekit, self._room_name, self.avatar_identity, self._agent_identity)
        if self._room is not None:
            self._room.off("connection_state_changed", self._on_connection_state_changed)
            self._room = None  # else the base class would remove the participant that has the identity now
        joining = self._wait_avatar_join_task
        await super().aclose()
        if joining is not None and not joining.cancelled():
            joining.exception()  # retrieved, so that asyncio does not log it: the avatar left before it published video

    def _access(self) -> tuple[str, str, str]:
        names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
        url, key, secret = (given or os.environ.get(name, "") for given, name in zip(self._livekit, names, strict=True))
        if not (url and key and secret):
            raise ConfigurationError("LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be set")
        return url, key, secret


def _secret_name(provider: Provider) -> str:
    """Return the setting that holds the ``api-secret``, for messages."""
    match provider:  # without a default: mypy reports a provider that is missing here
        case Provider.LOCAL:
            return "MOUTHPIECE_AVATAR_SECRET"
        case Provider.AVALUMA:
            return "AVALUMA_LICENSE_KEY"


class _Output(avatar.DataStreamAudioOutput):
    """livekit-agents' output; 1.8.9 logs an error if the room ends while it waits for the avatar."""

    def stop_waiting(self) -> None:
        """Cancel the wait for the avatar."""
        if self._start_atask is not None:
            self._start_atask.cancel()
