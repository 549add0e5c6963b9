"""The gateway over fake rooms: what is accepted, what is stored, and what a fault leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from mouthpiece.errors import QueueFull, StoreError
from mouthpiece.playback.commands import Report, Utterance
from mouthpiece.playback.restored import Restored
from mouthpiece.segments import (
    Attempt,
    AttemptRecord,
    EndedBy,
    Event,
    Mode,
    Problem,
    Segment,
    Source,
    State,
    new_segment_id,
    utc_now,
)
from mouthpiece_sender.gateway import BEGINNING, Gateway
from mouthpiece_sender.places import Quotas
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.storage import journal_writer
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from mouthpiece_sender.target import AvatarActivity, ReportContext, ReportListener, Room, SpeakRequest
from tests.sounds import Tone


@dataclass
class FakeRoom:
    """Takes segments, and ends them when the test says so."""

    room: str
    listener: ReportListener
    connected: bool = True
    duplicate: bool = False
    viewers: int | None = 1
    avatars: Sequence[AvatarActivity] = ()
    taken: list[str] = field(default_factory=list)
    ends: asyncio.Event = field(default_factory=asyncio.Event)
    breaks: bool = False
    paused: list[str | None] = field(default_factory=list)

    def position(self, segment: str) -> float | None:
        return None

    def submit(self, utterance: Utterance, sound: Sound, avatar: str | None, mode: Mode) -> None:
        self.taken.append(utterance.segment)

    def end(self, segment: str, state: State = State.FINISHED, problem: Problem | None = None) -> None:
        report = Report(segment, f"segment.{state}", state, position=1.0, problem=problem)
        self.listener(report, ReportContext("avatar-x", "mouthpiece", "session-1", 1))

    def cancel(self, segment: str) -> None:
        self.end(segment, State.CANCELLED)

    def interrupt(self, avatar: str | None, *, drop_queued: bool) -> list[str]:
        return []

    def restore(self, restored: Restored, sound: Sound, avatar: str | None, *, addressed: bool) -> None:
        self.taken.append(restored.utterance.segment)

    def pause(self, avatar: str | None) -> list[str]:
        self.paused.append(avatar)
        return []

    def resume(self, avatar: str | None) -> None:
        self.paused.clear()

    def expect(self) -> None:
        pass

    async def prepare_deletion(self, problem: Problem) -> None:
        self.give_up(problem, EndedBy.ROOM)

    async def drain(self, seconds: float) -> None:
        pass

    def give_up(self, problem: Problem, by: EndedBy) -> None:
        for segment in self.taken:
            self.end(segment, State.FAILED, problem)

    async def run(self) -> None:
        await self.ends.wait()
        if self.breaks:
            raise ValueError("a fault of ours")

    async def close(self, *, drop_queued: bool) -> None:
        self.stop()

    def stop(self) -> None:
        self.ends.set()


class FakeTarget:
    def __init__(self) -> None:
        self.rooms: list[FakeRoom] = []

    def room(
        self,
        name: str,
        listener: ReportListener,
        dormant: Callable[[Room], None],
        recorded: Callable[[Attempt], Awaitable[None]],
        holder: str = "",
    ) -> FakeRoom:
        self.rooms.append(FakeRoom(name, listener))
        return self.rooms[-1]

    async def admit(self, request: SpeakRequest, rooms: Mapping[str, Room], arriving: Collection[str]) -> None:
        await asyncio.sleep(0)


class Full(MemoryJournal):
    """Cannot store what happens for a while."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.refusals = times
        self.stored = asyncio.Event()

    async def record(self, segment: Segment, event: Event, attempt: AttemptRecord | None = None) -> Event:
        if self.refusals:
            self.refusals -= 1
            raise StoreError("No space is left.")
        event = await super().record(segment, event, attempt)
        self.stored.set()
        return event


def request(room: str = "demo") -> SpeakRequest:
    return SpeakRequest(room, Tone(1.0), Source("file", "tone"), new_segment_id())


async def test_many_at_once_do_not_pass_the_limit_together() -> None:
    async with Gateway(FakeTarget(), MemoryJournal(), quotas=Quotas(room_segments=3)) as gateway:
        answers = await asyncio.gather(*(gateway.speak(request()) for _ in range(8)), return_exceptions=True)
        assert sum(isinstance(answer, Segment) for answer in answers) == 3
        assert sum(isinstance(answer, QueueFull) for answer in answers) == 5
        assert isinstance(await gateway.speak(request("another")), Segment)


async def test_an_end_that_cannot_be_stored_is_known_at_once_and_stored_when_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal_writer, "RETRY", 0.01)
    target, journal = FakeTarget(), Full(times=3)
    async with Gateway(target, journal) as gateway:
        segment = await gateway.speak(request())
        target.rooms[0].end(segment.id)
        assert (await gateway.wait(segment.id, "finished", 1)).state is State.FINISHED
        assert (await journal.get(segment.id)).state is State.QUEUED
        await asyncio.wait_for(journal.stored.wait(), 5)
        assert (await journal.get(segment.id)).state is State.FINISHED


async def test_a_store_that_stays_full_does_not_hold_up_the_end() -> None:
    target = FakeTarget()
    async with asyncio.timeout(5):
        async with Gateway(target, Full(times=1_000_000)) as gateway:
            segment = await gateway.speak(request())
            target.rooms[0].end(segment.id)


async def test_a_fault_in_one_room_fails_what_it_held_and_nothing_else() -> None:
    target = FakeTarget()
    async with Gateway(target, MemoryJournal()) as gateway:
        lost, kept = await gateway.speak(request()), await gateway.speak(request("another"))
        target.rooms[0].breaks = True
        target.rooms[0].stop()
        ended = await gateway.wait(lost.id, "finished", 2)
        assert (ended.state, ended.error and ended.error.type) == (State.FAILED, "internal")
        target.rooms[1].end(kept.id)
        assert (await gateway.wait(kept.id, "finished", 2)).state is State.FINISHED
        again = await gateway.speak(request())
        assert target.rooms[2].taken == [again.id]


async def test_speech_begins_from_the_acceptance_of_a_segment_until_it_is_heard_or_waits_for_something() -> None:
    target, at = FakeTarget(), utc_now()
    now = [at]
    async with Gateway(target, MemoryJournal(), wall_clock=lambda: now[0]) as gateway:
        assert not gateway.speech_begins
        heard = await gateway.speak(request())
        assert gateway.speech_begins
        target.rooms[0].end(heard.id)
        assert not gateway.speech_begins
        waits = await gateway.speak(request("another"))
        assert gateway.speech_begins
        now[0] = at + BEGINNING
        assert not gateway.speech_begins
        target.rooms[1].end(waits.id)


async def test_a_room_is_spoken_in_until_the_end_is_known_also_before_that_is_stored() -> None:
    target = FakeTarget()
    async with Gateway(target, Full(times=1_000_000)) as gateway:
        assert not gateway.speaks_in("demo")
        segment = await gateway.speak(request())
        assert gateway.speaks_in("demo")
        assert not gateway.speaks_in("another")
        target.rooms[0].end(segment.id)
        assert not gateway.speaks_in("demo")
