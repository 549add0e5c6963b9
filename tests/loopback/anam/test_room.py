"""A room of Anam's target and its sessions, through a gateway: when one is opened, and when none may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from mouthpiece.audio.pcm import Pcm
from mouthpiece.segments import (
    AttemptRecord,
    AttemptState,
    AudioInfo,
    EndedBy,
    Event,
    OnLoss,
    Problem,
    Segment,
    Source,
    State,
    new_segment_id,
    utc_now,
)
from mouthpiece_sender.anam.errors import AnamBusy
from mouthpiece_sender.anam.settings import AnamSettings
from mouthpiece_sender.anam.target import AnamTarget
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.storage.journal import IdempotencyKey
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from mouthpiece_sender.target import SpeakRequest
from tests.loopback.anam.emulator import KEY, Engine, Faults, _Connection, engine
from tests.sounds import Tone


class Slow(MemoryJournal):
    """Takes a moment to accept a segment, as the store does."""

    async def accept(self, segment: Segment, key: IdempotencyKey | None = None) -> None:
        await asyncio.sleep(0.01)
        await super().accept(segment, key)


@asynccontextmanager
async def gateway(
    emulated: Engine, *, warm: float = 60.0, linger: float = 0.0, timeout: float = 10.0
) -> AsyncIterator[Gateway]:
    settings = AnamSettings(KEY, api_url=emulated.url, ready_timeout=timeout, linger=linger)
    async with (
        AnamTarget(settings, warm=warm) as target,
        Gateway(target, Slow(), drop_queued_on_exit=True) as running,
    ):
        yield running


async def said(running: Gateway, sound: Sound, *, room: str = "stage", **options: Any) -> Segment:
    request = SpeakRequest(room, sound, Source("file", "tone"), new_segment_id(), **options)
    return await running.speak(request)


@pytest.mark.parametrize("rate", [22_255, 44_101, 47_999])
async def test_a_rate_whose_half_second_is_no_whole_number_of_frames_is_played(rate: int) -> None:
    tone = Tone(1.0, sample_rate=rate)
    async with engine() as emulated, gateway(emulated) as running:
        segment = await running.wait((await said(running, tone)).id, "finished", 20)
        assert (segment.state, emulated.session.sound) == (State.FINISHED, tone.samples.tobytes())


async def test_a_replay_without_progress_ends() -> None:
    async with engine(Faults(end_session_after=0.05)) as emulated, gateway(emulated) as running:
        segment = await said(running, Tone(2.0), on_loss=OnLoss.REPLAY)
        segment = await running.wait(segment.id, "finished", 60)
        assert segment.state.terminal
        assert 2 <= len(emulated.sessions) <= 8


async def test_after_a_restart_what_played_is_unknown_at_once_and_what_waited_is_said() -> None:
    played, waited = (
        Segment(id=new_segment_id(), room="stage", source=Source("file"), audio=Tone(0.5).info, created_at=utc_now())
        for _ in range(2)
    )
    journal = MemoryJournal()
    await journal.accept(played)
    await journal.accept(waited)
    opened = Event(played.id, "stage", "attempt.opened", utc_now(), 1)
    await journal.record(replace(played, state=State.PLAYING), opened, AttemptRecord(number=1, offset=0.0))

    async def again(segment: Segment) -> Sound:
        return Tone(0.5)

    async with engine() as emulated:
        settings = AnamSettings(KEY, api_url=emulated.url, ready_timeout=10, linger=0.0)
        async with AnamTarget(settings) as target, Gateway(target, journal) as running:
            assert await running.take_over(again) == 2
            lost = await running.wait(played.id, "finished", 1)
            assert (lost.state, lost.ended_by, lost.attempts[0].state) == (
                State.UNKNOWN,
                EndedBy.RESTART,
                AttemptState.LOST,
            )
            assert (await running.wait(waited.id, "finished", 20)).state is State.FINISHED


async def test_two_rooms_at_once_get_one_session() -> None:
    async with engine() as emulated, gateway(emulated) as running:
        answers = await asyncio.gather(
            *(said(running, Tone(0.3), room=room) for room in ("left", "right")), return_exceptions=True
        )
        (segment,) = [answer for answer in answers if isinstance(answer, Segment)]
        (refused,) = [answer for answer in answers if isinstance(answer, AnamBusy)]
        assert segment.room not in str(refused)
        await running.wait(segment.id, "finished", 20)
        assert len(emulated.sessions) == 1


async def test_a_room_that_got_no_session_keeps_no_other_room_out() -> None:
    async with engine(Faults(status=429)) as emulated, gateway(emulated) as running:
        segment = await running.wait((await said(running, Tone(0.3), room="one")).id, "finished", 20)
        assert (segment.state, emulated.sessions) == (State.FAILED, [])
        emulated.faults = Faults()
        segment = await running.wait((await said(running, Tone(0.3), room="two")).id, "finished", 20)
        assert segment.state is State.FINISHED


async def test_the_session_is_kept_until_the_end_is_seen() -> None:
    """Even if ``warm`` is shorter."""
    async with engine() as emulated, gateway(emulated, warm=0.0, linger=1.0) as running:
        await running.wait((await said(running, Tone(0.3))).id, "finished", 20)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(emulated.session.closed.wait(), 0.5)
        await asyncio.wait_for(emulated.session.closed.wait(), 10)


class Hesitant:
    """Half a second of sound, a pause until the test continues it, and half a second more."""

    info = AudioInfo(24_000, 1, None)

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()

    @asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        async def blocks() -> AsyncIterator[Pcm]:
            yield Pcm.silence(0.7, 24_000)
            await self.goes_on.wait()
            yield Pcm.silence(0.7, 24_000)

        yield blocks()


async def test_a_source_that_pauses_ends_the_turn_and_begins_another() -> None:
    sound = Hesitant()
    async with engine() as emulated, gateway(emulated) as running:
        segment = await said(running, sound)
        await running.wait(segment.id, "playing", 20)
        async with asyncio.timeout(20):
            while not emulated.session.ends:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert len(emulated.session.sound) == 2 * round(0.7 * 24_000)
        sound.goes_on.set()
        segment = await running.wait(segment.id, "finished", 20)
        assert (segment.state, len(emulated.session.ends)) == (State.FINISHED, 2)
        assert len(emulated.session.sound) == 2 * round(1.4 * 24_000)


async def test_a_segment_that_comes_while_a_room_is_given_up_gets_a_session_of_its_own() -> None:
    async with engine() as emulated, gateway(emulated) as running:
        await running.wait((await said(running, Tone(0.3))).id, "finished", 20)
        coming = asyncio.create_task(said(running, Tone(0.3)))
        await asyncio.sleep(0)
        await running.end_room("stage", "The room was ended.")
        segment = await running.wait((await coming).id, "finished", 20)
        assert (segment.state, len(emulated.sessions)) == (State.FINISHED, 2)


async def test_a_socket_that_closes_before_the_avatar_is_ready_is_no_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def close(connection: Any) -> None:
        await connection._ws.close(code=1000)

    monkeypatch.setattr(_Connection, "_become_ready", close)
    async with engine() as emulated, gateway(emulated, timeout=15.0) as running:
        segment = await running.wait((await said(running, Tone(0.3))).id, "finished", 14)
        assert isinstance(segment.error, Problem)
        assert segment.error.type == "avatar-left"
