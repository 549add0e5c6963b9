"""Takes up what was dispatched while no worker was there.

LiveKit offers a dispatch once, to the workers that are registered at that moment: one that is made before the worker
is up, or whose worker was killed or full, stays listed and never becomes a job again (livekit-server 1.13.5). So a
worker looks for rooms that were promised its agent and have none, and dispatches those anew.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import aiohttp
from livekit import api
from livekit.agents.types import ATTRIBUTE_AGENT_NAME

from mouthpiece_agents.settings import Settings

logger = logging.getLogger(__name__)

EVERY = 20.0
"""Seconds between looks. One is not enough: an agent whose process was killed is shown for 15 to 20 s more."""
SETTLE = 5.0
"""Seconds until a second look confirms the first: a job that a worker has just been given needs about one to join."""
TIMEOUT = 30.0
"""Seconds for a look."""
AT_ONCE = 8
"""Rooms that LiveKit is asked about at the same time: there may be hundreds, of which few are ours."""
WORTH_A_WARNING = 3
"""Looks in a row that took too long: from then on rooms may wait for ever, and nothing else says so."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A dispatch without an agent."""

    room: str
    dispatch_id: str
    metadata: str


def lost_in(
    room: str, agent_name: str, dispatches: list[api.AgentDispatch], participants: list[api.ParticipantInfo]
) -> set[Lost]:
    """Our dispatches of a room in which no agent of ours is."""
    if any(participant.attributes.get(ATTRIBUTE_AGENT_NAME) == agent_name for participant in participants):
        return set()
    ours = [dispatch for dispatch in dispatches if dispatch.agent_name == agent_name]
    return {Lost(room, dispatch.id, dispatch.metadata) for dispatch in ours}


class LostDispatches:
    """``start`` once LiveKit knows the worker, as often as one likes; ``aclose`` once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._task: asyncio.Task[None] | None = None
        self._time_outs = 0  # in a row

    def start(self) -> None:
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
                await asyncio.sleep(EVERY)

    async def look(self, livekit: api.LiveKitAPI) -> None:
        """Looks once and dispatches anew what is lost. Bounded; a LiveKit that does not answer is no error here."""
        too_long = False
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
            # whatever keeps LiveKit from answering is said of the worker's own connection
            logger.debug("looking for rooms that wait for an avatar failed: %s", type(errors.exceptions[0]).__name__)
        self._time_outs = self._time_outs + 1 if too_long else 0
        if self._time_outs == WORTH_A_WARNING:
            logger.warning(
                "LiveKit takes longer than %g s to say which rooms wait for an avatar: one that was promised its "
                "avatar while no worker was there does not get it",
                TIMEOUT,
            )

    async def _find(self, livekit: api.LiveKitAPI) -> set[Lost]:
        places = asyncio.Semaphore(AT_ONCE)

        async def ask(room: str) -> set[Lost]:
            async with places:
                return await self._find_in(livekit, room)

        rooms = (await livekit.room.list_rooms(api.ListRoomsRequest())).rooms
        async with asyncio.TaskGroup() as asking:
            asked = [asking.create_task(ask(room.name)) for room in rooms]
        return set[Lost]().union(*(answer.result() for answer in asked))

    async def _find_in(self, livekit: api.LiveKitAPI, room: str) -> set[Lost]:
        try:
            dispatches = await livekit.agent_dispatch.list_dispatch(room)
            if not any(dispatch.agent_name == self._settings.agent_name for dispatch in dispatches):
                return set()
            people = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
        except api.TwirpError as error:
            if error.code != api.TwirpErrorCode.NOT_FOUND:
                raise
            return set()  # the room has ended meanwhile
        return lost_in(room, self._settings.agent_name, dispatches, list(people.participants))

    async def _renew(self, livekit: api.LiveKitAPI, lost: Lost) -> None:
        try:
            await livekit.agent_dispatch.delete_dispatch(lost.dispatch_id, lost.room)
        except api.TwirpError as error:
            if error.code != api.TwirpErrorCode.NOT_FOUND:
                raise
            return  # another worker was quicker
        logger.info("taking up a room that was promised an avatar while no worker was there", extra={"room": lost.room})
        request = api.CreateAgentDispatchRequest(
            agent_name=self._settings.agent_name, room=lost.room, metadata=lost.metadata
        )
        await livekit.agent_dispatch.create_dispatch(request)
