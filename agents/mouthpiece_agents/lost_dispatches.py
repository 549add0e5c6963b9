"""Dispatches again the rooms that were dispatched while no worker was there.

LiveKit offers a dispatch once, to the workers that are registered at that moment. One that is made before the worker
is up, or whose worker was killed or full, stays listed and never becomes a job again (livekit-server 1.13.5). So a
worker looks for rooms with a dispatch for its agent and without the agent, and dispatches those again.

A livekit-server without Redis forgets the dispatches of its rooms when it dies. So a worker that has just started looks
for rooms, too, in which a viewer's token asked for its agent, and dispatches each of them once: later on such a room is
one whose job has ended for good.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import aiohttp
from livekit import api
from livekit.agents.types import ATTRIBUTE_AGENT_NAME

from mouthpiece import wire
from mouthpiece.dispatch import WantedAgent
from mouthpiece_agents.settings import Settings

logger = logging.getLogger(__name__)

EVERY = 20.0
"""Seconds between looks."""
AT_FIRST = 6
"""Looks after which it is ``EVERY``: LiveKit lists an agent for 15 to 20 s after its process was killed, and the worker
that comes after it should not wait for much longer than that."""
EVERY_AT_FIRST = 5.0
"""Seconds between the first looks."""
SETTLE = 5.0
"""Seconds until a second look confirms the first: a job that was just assigned needs about one second to join."""
TIMEOUT = 30.0
"""Seconds for a look."""
AT_ONCE = 8
"""Rooms that LiveKit is asked about at the same time: there may be hundreds, of which few are ours."""
TIME_OUTS_UNTIL_WARNING = 3
"""Looks in a row that took longer than ``TIMEOUT``: rooms may then wait for ever, and nothing else reports it."""


@dataclass(frozen=True, slots=True)
class LostDispatch:
    """A dispatch without an agent."""

    room: str
    dispatch_id: str | None
    """None: LiveKit has forgotten it, and a viewer asks for it."""
    metadata: str


def lost_in(
    room: str, agent_name: str, dispatches: list[api.AgentDispatch], participants: list[api.ParticipantInfo]
) -> set[LostDispatch]:
    """Return the dispatches for ``agent_name`` if no participant of the room is that agent; where there is none, what
    viewers ask for."""
    if any(participant.attributes.get(ATTRIBUTE_AGENT_NAME) == agent_name for participant in participants):
        return set()
    ours = [dispatch for dispatch in dispatches if dispatch.agent_name == agent_name]
    if ours:
        return {LostDispatch(room, dispatch.id, dispatch.metadata) for dispatch in ours}
    wanted = (WantedAgent.loads(participant.attributes.get(wire.ATTR_AGENT, "")) for participant in participants)
    return {LostDispatch(room, None, agent.metadata) for agent in wanted if agent and agent.agent_name == agent_name}


def pause_after(look: int) -> float:
    """Return the seconds from a look to the next one; the first is number 1."""
    return EVERY_AT_FIRST if look < AT_FIRST else EVERY


class LostDispatches:
    """``start`` whenever LiveKit has registered the worker; ``aclose`` once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._task: asyncio.Task[None] | None = None
        self._time_outs = 0  # in a row
        self._looks = 0
        self._asked_for: set[str] = set()
        """Rooms that were dispatched because a viewer asks for it."""

    def start(self) -> None:
        """Start looking; a second call does nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="lost dispatches")

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        settings = self._settings
        secret = settings.livekit_api_secret.get_secret_value()
        async with api.LiveKitAPI(settings.livekit_url, settings.livekit_api_key, secret) as livekit:
            while True:
                await self.look(livekit)
                await asyncio.sleep(pause_after(self._looks))

    async def look(self, livekit: api.LiveKitAPI) -> None:
        """Look once and dispatch the lost ones again. Bounded; raises nothing if LiveKit does not answer."""
        too_long = False
        self._looks += 1
        try:
            async with asyncio.timeout(TIMEOUT + SETTLE):
                lost = await self._find(livekit)
                if lost:
                    await asyncio.sleep(SETTLE)
                    for one in lost & await self._find(livekit):
                        await self._renew(livekit, one)
        except* TimeoutError:
            too_long = True
        except* (api.TwirpError, aiohttp.ClientError, OSError) as errors:
            # only at debug level: the worker's own connection reports that LiveKit does not answer
            logger.debug("looking for rooms that wait for an avatar failed: %s", type(errors.exceptions[0]).__name__)
        self._time_outs = self._time_outs + 1 if too_long else 0
        if self._time_outs == TIME_OUTS_UNTIL_WARNING:
            logger.warning(
                "LiveKit takes longer than %g s to list the rooms that wait for an avatar: a room that was dispatched "
                "while no worker was there does not get its avatar",
                TIMEOUT,
            )

    async def _find(self, livekit: api.LiveKitAPI) -> set[LostDispatch]:
        limit = asyncio.Semaphore(AT_ONCE)

        async def ask(room: str) -> set[LostDispatch]:
            async with limit:
                return await self._find_in(livekit, room)

        rooms = (await livekit.room.list_rooms(api.ListRoomsRequest())).rooms
        async with asyncio.TaskGroup() as asking:
            asked = [asking.create_task(ask(room.name)) for room in rooms]
        return set[LostDispatch]().union(*(answer.result() for answer in asked))

    async def _find_in(self, livekit: api.LiveKitAPI, room: str) -> set[LostDispatch]:
        try:
            dispatches = await livekit.agent_dispatch.list_dispatch(room)
            ours = any(dispatch.agent_name == self._settings.agent_name for dispatch in dispatches)
            if not ours and (self._looks > AT_FIRST or room in self._asked_for):
                return set()
            answer = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
        except api.TwirpError as error:
            if error.code != api.TwirpErrorCode.NOT_FOUND:
                raise
            return set()  # the room has ended since it was listed
        return lost_in(room, self._settings.agent_name, dispatches, list(answer.participants))

    async def _renew(self, livekit: api.LiveKitAPI, lost: LostDispatch) -> None:
        if lost.dispatch_id is None:
            if lost.room in self._asked_for:
                return  # two viewers ask for two avatars
            self._asked_for.add(lost.room)
        else:
            try:
                await livekit.agent_dispatch.delete_dispatch(lost.dispatch_id, lost.room)
            except api.TwirpError as error:
                if error.code != api.TwirpErrorCode.NOT_FOUND:
                    raise
                return  # another worker was faster
        logger.info("dispatching again a room that has no avatar", extra={"room": lost.room})
        request = api.CreateAgentDispatchRequest(
            agent_name=self._settings.agent_name, room=lost.room, metadata=lost.metadata
        )
        made = await livekit.agent_dispatch.create_dispatch(request)
        if lost.dispatch_id is None:
            await self._keep_one(livekit, made)

    async def _keep_one(self, livekit: api.LiveKitAPI, made: api.AgentDispatch) -> None:
        """Delete ``made`` again if another worker dispatched the room at the same time: both keep the same one."""
        listed = await livekit.agent_dispatch.list_dispatch(made.room)
        ids = [dispatch.id for dispatch in listed if dispatch.agent_name == made.agent_name]
        if ids and made.id != min(ids):
            await livekit.agent_dispatch.delete_dispatch(made.id, made.room)
