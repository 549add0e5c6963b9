"""LiveKit's server API. Its errors are translated to ours here, and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from livekit import api
from livekit.protocol import models
from livekit.protocol.agent import JobStatus
from livekit.protocol.agent_dispatch import AgentDispatch

from mouthpiece import profiles, wire
from mouthpiece.errors import ConfigurationError, LiveKitRefused, LiveKitUnavailable
from mouthpiece.process.addresses import check_livekit_url
from mouthpiece.process.clock import clock_problem, http_url
from mouthpiece.process.env_file import check_secret
from mouthpiece.profiles import Profile
from mouthpiece.segments import utc_now

TIMEOUT = 5.0
"""Seconds that one call may take."""

_ENDED = (JobStatus.JS_SUCCESS, JobStatus.JS_FAILED, JobStatus.JS_CANCELLED)
_VIEWER_KINDS = (models.ParticipantInfo.Kind.STANDARD, models.ParticipantInfo.Kind.SIP)


@dataclass(slots=True)
class LiveKitAccess:
    """LiveKit's address, key and secret. ``repr`` leaves out the key and the secret.

    A rotation of the key changes it here, both parts at once; each token and call is made with what stands here then.
    """

    url: str
    api_key: str
    api_secret: str
    public_url: str | None = None
    """The address for browsers, where it differs."""

    @classmethod
    def checked(cls, url: str, api_key: str, api_secret: str, public_url: str | None = None) -> Self:
        """Return the access that somebody's settings name.

        :raises ConfigurationError: the address is none, or the secret is not as it was issued.
        """
        try:
            check_livekit_url(url)
        except ValueError as error:
            raise ConfigurationError(f"LIVEKIT_URL: {error}") from None
        check_secret("LIVEKIT_API_SECRET", api_secret)
        return cls(url, api_key, api_secret, public_url)

    def __repr__(self) -> str:
        return f"LiveKitAccess(url={self.url!r})"


@dataclass(frozen=True, slots=True)
class ParticipantFacts:
    """The part of a participant that the sender needs."""

    identity: str
    sid: str
    is_agent: bool
    attributes: Mapping[str, str]
    is_viewer: bool
    """A person: no agent, no recorder, no ingest."""
    name: str

    @property
    def profile(self) -> Profile | None:
        """The profile of the avatar that it is; None if it is no avatar."""
        return profiles.recognise(self.identity, self.attributes, self.is_agent)

    @property
    def is_room_agent(self) -> bool:
        """Whether LiveKit's front ends take it for the room's agent: agent kind, and on nobody's behalf."""
        return self.is_agent and wire.ATTR_PUBLISH_ON_BEHALF not in self.attributes and self.profile is None


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """A room as the server lists it. Times are seconds."""

    name: str
    sid: str
    created_at: int
    """Seconds since 1970."""
    empty_timeout: int
    departure_timeout: int


class LiveKitApi:
    """``async with LiveKitApi(access) as server:``

    Every method raises :class:`LiveKitUnavailable` if the server cannot be reached or fails, and
    :class:`LiveKitRefused` if it does not accept the key and secret.
    """

    def __init__(self, access: LiveKitAccess) -> None:
        self._access = access

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @property
    def _api(self) -> api.LiveKitAPI:
        """Made for each call, with the key of that moment; what is kept open is in the session."""
        access = self._access
        return api.LiveKitAPI(access.url, access.api_key, access.api_secret, session=self._session, failover=False)

    async def check(self) -> None:
        """Return if the server answers and accepts the key."""
        await self.rooms(["mouthpiece-readiness"])

    async def participants(self, room: str, *, exists: bool = False) -> list[ParticipantFacts] | None:
        """The participants of a room; None if there is no such room.

        :param exists: the server has just said that the room exists, so that nobody's being there is no question.
        """
        async with self._translated():
            try:
                listed = await self._api.room.list_participants(api.ListParticipantsRequest(room=room))
            except api.TwirpError as error:
                if error.code == "not_found":
                    return None
                raise
        if not listed.participants and not exists and await self.room(room) is None:
            return None
        return [_facts(participant) for participant in listed.participants]

    async def rooms(self, names: Sequence[str] = ()) -> list[RoomFacts]:
        """The rooms of those names that exist; without ``names``, all rooms."""
        async with self._translated():
            listed = await self._api.room.list_rooms(api.ListRoomsRequest(names=list(names)))
        return [
            RoomFacts(room.name, room.sid, room.creation_time, room.empty_timeout, room.departure_timeout)
            for room in listed.rooms
        ]

    async def room(self, name: str) -> RoomFacts | None:
        """One room, or None."""
        return next(iter(await self.rooms([name])), None)

    async def create_room(self, name: str, *, empty_timeout: int, departure_timeout: int) -> RoomFacts:
        """Create a room, or return the one that exists. ``*_timeout``: seconds until LiveKit closes it while nobody has
        joined yet, and after the last viewer left."""
        async with self._translated():
            room = await self._api.room.create_room(
                api.CreateRoomRequest(
                    name=name,
                    empty_timeout=empty_timeout,
                    departure_timeout=departure_timeout,
                    sync_streams=True,  # or browsers do not synchronise sound and picture
                )
            )
        return RoomFacts(room.name, room.sid, room.creation_time, room.empty_timeout, room.departure_timeout)

    async def delete_room(self, name: str) -> bool:
        """End a room and disconnect its participants; False if there is none."""
        async with self._translated():
            try:
                await self._api.room.delete_room(api.DeleteRoomRequest(room=name))
            except api.TwirpError as error:
                if error.code == "not_found":
                    return False
                raise
        return True

    async def forbid_data(self, room: str, identity: str) -> bool:
        """Take from a participant the right to publish data, until it joins anew; False if it is not there, or
        has not that right."""
        async with self._translated():
            try:
                named = api.RoomParticipantIdentity(room=room, identity=identity)
                allowed = (await self._api.room.get_participant(named)).permission
                if not allowed.can_publish_data:
                    return False
                allowed.can_publish_data = False
                await self._api.room.update_participant(
                    api.UpdateParticipantRequest(room=room, identity=identity, permission=allowed)
                )
            except api.TwirpError as error:
                if error.code == "not_found":
                    return False
                raise
        return True

    async def dispatch(self, room: str, agent_name: str, metadata: str) -> bool:
        """Dispatch the worker ``agent_name`` to an existing room; False if one is there, or on its way."""
        async with self._translated():
            for dispatch in await self._api.agent_dispatch.list_dispatch(room_name=room):
                if dispatch.agent_name == agent_name and not _has_ended(dispatch):
                    return False
            await self._api.agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(room=room, agent_name=agent_name, metadata=metadata)
            )
        return True

    async def answers(self) -> bool:
        """Whether the server answers at all, whatever it says."""
        try:
            async with self._session.get(http_url(self._access.url), allow_redirects=False):
                return True
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def _date(self) -> str | None:
        """The time by LiveKit's clock, as the header of an answer says it; None: it does not."""
        try:
            async with self._session.get(http_url(self._access.url), allow_redirects=False) as answer:
                return answer.headers.get("Date")
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        url = self._access.url
        try:
            yield
        except api.TwirpError as error:
            if error.status in (401, 403):
                clock = clock_problem(await self._date(), utc_now())
                reason = (
                    f"LiveKit at {url} refuses us: {clock}."
                    if clock is not None
                    else f"LiveKit at {url} does not accept our key and secret: "
                    "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET."
                )
                raise LiveKitRefused(reason) from None
            raise LiveKitUnavailable(f"LiveKit at {url} answered with an error ({error.code}).") from None
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise LiveKitUnavailable(
                f"LiveKit at {url} cannot be reached: check LIVEKIT_URL, and that it runs."
            ) from None


def _facts(participant: models.ParticipantInfo) -> ParticipantFacts:
    return ParticipantFacts(
        identity=participant.identity,
        sid=participant.sid,
        is_agent=participant.kind == models.ParticipantInfo.Kind.AGENT,
        attributes=dict(participant.attributes),
        is_viewer=participant.kind in _VIEWER_KINDS,
        name=participant.name,
    )


def _has_ended(dispatch: AgentDispatch) -> bool:
    """Whether every job of a dispatch has ended: the room may get another one then."""
    jobs = dispatch.state.jobs
    return dispatch.state.deleted_at != 0 or (bool(jobs) and all(job.state.status in _ENDED for job in jobs))
