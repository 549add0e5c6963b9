"""One job: one room, one ``AgentSession``, one avatar.

The session has no STT, LLM or TTS. Senders stream their audio straight to the avatar, not through this worker, which
subscribes to no track.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import aiohttp
from livekit import api, rtc
from livekit.agents import Agent, AgentSession, AutoSubscribe, JobContext, room_io

from mouthpiece.errors import MouthpieceError
from mouthpiece_agents.avatars import Avatar, create_avatar
from mouthpiece_agents.empty_room import EmptyRoom
from mouthpiece_agents.job_request import read_job_request
from mouthpiece_agents.settings import Settings
from mouthpiece_agents.supervisor import AvatarSupervisor

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.25
"""Seconds between two looks whether an avatar still speaks."""
REPORTED_WITHIN = 0.5
"""Seconds after its end that a segment is reported, at most: the report is on its way for 0.2 (docs/wire.md)."""
END_TIMEOUT = 3.0
"""Seconds that a job which ends waits for LiveKit."""
_NO_VIEWERS = (rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS)
"""Kinds that livekit-server does not count when it decides whether a room is empty."""
_USERDATA = "mouthpiece.job"


async def run_job(context: JobContext, settings: Settings) -> None:
    """Start the job; return once the avatar is supervised. livekit-agents calls :func:`end_job` at its end."""
    job = Job(context, settings)
    context.proc.userdata[_USERDATA] = job
    try:
        await job.start()
    except MouthpieceError as error:
        job.fail(str(error))
    except rtc.ConnectError:
        job.fail("LiveKit did not let the agent into the room")


async def end_job(context: JobContext) -> None:
    """End the job. livekit-agents calls this for every end of a job, before the agent leaves the room."""
    job = context.proc.userdata.pop(_USERDATA, None)
    if isinstance(job, Job):
        await job.aclose()


class Job:
    """``start``, then ``aclose``, even if ``start`` failed."""

    def __init__(self, context: JobContext, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._context = context
        self._settings = settings
        self._clock = clock
        self._avatar: Avatar | None = None
        self._over = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Join the room and supervise the avatar there, by tasks that ``aclose`` ends.

        :raises ConfigurationError: the job's metadata is malformed, or asks for an avatar that is not configured.
        :raises rtc.ConnectError: LiveKit did not let the agent into the room.
        """
        context = self._context
        request = read_job_request(context.job.metadata, self._settings)
        await context.connect(auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE)
        # a DataStreamAudioOutput cannot pause: without this option livekit-agents warns of it in each job
        session: AgentSession[Any] = AgentSession(turn_handling={"interruption": {"resume_false_interruption": False}})
        await session.start(
            Agent(instructions=""),
            room=context.room,
            room_options=room_io.RoomOptions(
                text_input=False,
                audio_input=False,
                video_input=False,
                audio_output=False,
                text_output=False,
                close_on_disconnect=False,  # a tab that is reloaded leaves and comes back
            ),
            record=False,
        )
        self._avatar = create_avatar(request, self._settings, context.room.local_participant.identity)
        await self._avatar.attach(session, context.room)
        self._own(self._supervise(self._avatar), "supervise avatar")
        self._own(self._watch_viewers(request.empty_timeout), "watch viewers")

    def fail(self, reason: str) -> None:
        """End the job and log ``reason`` as an error, which somebody has to act on."""
        logger.error("the job ends: %s", reason)
        self._end(reason)

    async def aclose(self) -> None:
        """Stop every task and remove the avatar; delete the dispatch if the job ended by itself.

        A job that ends with its worker first lets the local avatar speak, for at most MOUTHPIECE_DRAIN seconds, and its
        dispatch stays: the next worker finds it (:mod:`mouthpiece_agents.lost_dispatches`). Bounded besides: 6 s for a
        start that is under way, then 3 s each to end the session, remove the avatar and delete the dispatch.
        """
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._avatar is not None:
            if not self._over:
                await self._until_quiet(self._avatar)
            await self._avatar.aclose()
            self._avatar = None
        if self._over:
            await self._delete_dispatch()

    async def _until_quiet(self, avatar: Avatar) -> None:
        deadline = self._clock() + self._settings.drain
        connected, spoke = self._context.room.isconnected, False
        while self._clock() < deadline and connected() and await avatar.speaking():
            spoke = True
            await asyncio.sleep(LOOK_EVERY)
        if spoke:
            await asyncio.sleep(REPORTED_WITHIN)

    async def _delete_dispatch(self) -> None:
        """Delete the dispatch, which LiveKit keeps for as long as its room lives, with its job shown as running even
        after the job has ended (livekit-server 1.13.5): a sender that opens the room again would expect an avatar.
        """
        job = self._context.job
        try:
            async with asyncio.timeout(END_TIMEOUT):
                await self._context.api.agent_dispatch.delete_dispatch(job.dispatch_id, job.room.name)
        except (api.TwirpError, aiohttp.ClientError, TimeoutError, OSError) as error:
            logger.debug("the dispatch was not deleted: %s", type(error).__name__)  # the room may be gone

    async def _supervise(self, avatar: Avatar) -> None:
        supervisor = AvatarSupervisor(
            avatar, self._context.room, self._context.api, start_timeout=self._settings.avatar_start_timeout
        )
        self.fail(await supervisor.run())

    async def _watch_viewers(self, empty_timeout: float) -> None:
        room, changed = self._context.room, asyncio.Event()

        def on_change(_: rtc.RemoteParticipant) -> None:
            changed.set()

        empty = EmptyRoom(empty_timeout)
        room.on("participant_connected", on_change)
        room.on("participant_disconnected", on_change)
        try:
            while not empty.over(self._clock()):
                viewers = sum(p.kind not in _NO_VIEWERS for p in room.remote_participants.values())
                empty.viewers(viewers, self._clock())
                wait = None if empty.deadline is None else max(0.0, empty.deadline - self._clock())
                try:
                    async with asyncio.timeout(wait):
                        await changed.wait()
                except TimeoutError:
                    continue
                changed.clear()
        finally:
            room.off("participant_connected", on_change)
            room.off("participant_disconnected", on_change)
        reason = f"no viewer for {empty_timeout:g} s (MOUTHPIECE_EMPTY_ROOM_TIMEOUT)"
        logger.info("the job ends: %s; the room is left to LiveKit's time-outs", reason)
        self._end(reason)

    def _end(self, reason: str) -> None:
        self._over = True
        self._context.shutdown(reason)

    def _own(self, work: Any, name: str) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a task of the job failed", exc_info=error)
            self._end("internal error")
