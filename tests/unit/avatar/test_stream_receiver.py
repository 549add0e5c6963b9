"""Whose streams are heard, and how each of them ends: the core's receiver with the avatar's playout queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from mouthpiece.receiving import admission
from mouthpiece.receiving.stream_receiver import StreamReceiver
from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.playout import Finished, PlayoutQueue
from mouthpiece_avatar.playout_stream import RATE
from tests.unit.avatar.simulated_source import SimulatedSource
from tests.unit.receiving.fakes import FakeReader, FakeTasks

HEADER = StreamHeader(RATE, 1).attributes()
SOUND = b"\1\1" * 4_800
"""0.1 s."""


class Room:
    """The receiver with everything around them; ``kinds`` are the participants that were announced."""

    def __init__(self, **times: float) -> None:
        self.kinds: dict[str, bool] = {}
        self.playout = PlayoutQueue()
        self.source = SimulatedSource(self.playout)
        self.tasks = FakeTasks()
        self.woken = 0
        self.uninvited: list[str] = []
        self.receiver = StreamReceiver(
            self.playout,
            is_agent=self.kinds.get,
            changed=self._wake,
            uninvited=self.uninvited.append,
            spawn=self.tasks.spawn,
            **times,
        )

    def _wake(self) -> None:
        self.woken += 1

    def open(self, sender: str, attributes: dict[str, str] | None = None) -> FakeReader:
        reader = FakeReader()
        self.receiver.stream_opened(reader, sender, HEADER if attributes is None else attributes)
        return reader

    def announce(self, sender: str, *, agent: bool) -> None:
        self.kinds[sender] = agent
        self.receiver.participant_announced(sender)

    def ends(self) -> list[tuple[str, float, bool]]:
        """Sender, position and whether it was interrupted, of each stream that has ended."""
        ends = [event for event in self.source.events if isinstance(event, Finished)]
        return [(end.stream.sender, round(end.stream.position, 6), end.interrupted) for end in ends]

    async def heard(self) -> float:
        """Seconds of sound that have left after everything that came was played."""
        await self.tasks.settle()
        self.source.run(2.0)
        return float((self.source.sound() != 0).sum()) / RATE


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    yield made
    await made.tasks.cancel()


async def test_an_agent_is_heard(room: Room) -> None:
    room.announce("sender", agent=True)
    reader = room.open("sender")
    reader.write(SOUND)
    reader.end()
    assert await room.heard() == 0.1
    assert not room.tasks.running
    assert room.woken


async def test_anybody_else_is_not(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.announce("viewer", agent=False)
    reader = room.open("viewer")
    reader.write(SOUND)
    reader.end()
    assert await room.heard() == 0
    assert reader.closed
    assert "not an agent" in caplog.text
    assert "viewer" not in caplog.text, "identities do not belong into the log"


async def test_a_stream_is_held_until_its_sender_is_announced(room: Room) -> None:
    reader = room.open("sender")
    reader.write(SOUND)
    await room.tasks.settle()
    assert await room.heard() == 0, "it was trusted before anybody knew its sender"
    reader.write(SOUND)
    room.announce("sender", agent=True)
    reader.write(SOUND)
    reader.end()
    assert await room.heard() == pytest.approx(0.3)


async def test_a_held_stream_may_have_ended_before_its_sender_is_announced(room: Room) -> None:
    first, second = room.open("sender"), room.open("sender")
    for reader in (first, second):
        reader.write(SOUND)
        reader.end()
    await room.tasks.settle()
    room.announce("sender", agent=True)
    assert await room.heard() == pytest.approx(0.2)
    assert len([event for event in room.source.events if isinstance(event, Finished)]) == 2


async def test_a_newer_stream_may_come_when_the_held_one_has_ended(room: Room) -> None:
    for _ in range(3):
        reader = room.open("sender")
        reader.write(SOUND)
        reader.end()
        await room.tasks.settle()
    room.announce("sender", agent=True)
    assert await room.heard() == pytest.approx(0.3)


async def test_a_held_stream_of_somebody_else_is_refused_when_he_appears(room: Room) -> None:
    reader = room.open("viewer")
    reader.write(SOUND)
    reader.end()
    await room.tasks.settle()
    room.announce("viewer", agent=False)
    assert await room.heard() == 0
    assert not room.tasks.running
    assert room.receiver.counts["refused"] == 1
    assert len(room.uninvited) == 1


async def test_a_held_stream_whose_sender_never_appears_is_let_go() -> None:
    room = Room(hold=0.01)
    reader = room.open("ghost")
    reader.write(SOUND)
    await room.tasks.done()
    assert reader.closed
    assert await room.heard() == 0
    room.announce("ghost", agent=True)
    assert await room.heard() == 0


async def test_what_is_held_is_bounded(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "HELD_BYTES", 3 * len(SOUND))
    reader = room.open("flood")
    for _ in range(4):
        reader.write(SOUND)
    await room.tasks.settle()
    assert reader.closed
    other = room.open("sender")
    other.write(SOUND)
    other.end()
    room.announce("sender", agent=True)
    assert await room.heard() == pytest.approx(0.1), "the room that the flood took was not given back"


async def test_a_clear_reaches_what_is_held(room: Room) -> None:
    held = room.open("sender")
    held.write(SOUND)
    await room.tasks.settle()
    room.receiver.clear("sender")
    held.write(SOUND)
    held.end()
    after = room.open("sender")
    after.write(SOUND)
    after.end()
    room.announce("sender", agent=True)
    assert await room.heard() == pytest.approx(0.1)
    events = [event for event in room.source.events if isinstance(event, Finished)]
    assert [event.interrupted for event in events] == [True, False]


async def test_a_sender_that_vanishes_ends_its_stream_and_nothing_else(room: Room) -> None:
    room.announce("sender", agent=True)
    room.announce("other", agent=True)
    broken = room.open("sender")
    broken.write(SOUND)
    await room.tasks.settle()
    broken.break_off()
    other = room.open("other")
    other.write(SOUND)
    other.end()
    assert await room.heard() == pytest.approx(0.2)
    assert room.receiver.counts["broken"] == 1
    assert room.ends() == [("sender", 0.1, True), ("other", 0.1, False)]


async def test_a_stream_that_stalls_ends() -> None:
    room = Room(stall=0.01)
    room.announce("sender", agent=True)
    reader = room.open("sender")
    reader.write(SOUND)
    await room.tasks.done()
    assert reader.closed
    assert await room.heard() == pytest.approx(0.1)
    assert room.receiver.counts["stalled"] == 1
    assert room.ends() == [("sender", 0.1, True)], "it was reported as if it had been said to its end"


async def test_a_lost_trailer_is_not_waited_for_once_a_newer_stream_is_there() -> None:
    room = Room(stall=60, superseded_stall=0.01)
    room.announce("sender", agent=True)
    lost = room.open("sender")
    lost.write(SOUND)
    await room.tasks.settle()
    newer = room.open("sender")
    newer.write(SOUND)
    newer.end()
    lost.write(SOUND)  # a chunk that was on its way still counts
    await room.tasks.done()
    assert await room.heard() == pytest.approx(0.3)
    assert room.ends() == [("sender", 0.2, True), ("sender", 0.1, False)]


async def test_a_held_stream_that_breaks_off_is_spoken_and_reported_as_interrupted() -> None:
    room = Room(stall=0.01)
    reader = room.open("sender")
    reader.write(SOUND)
    await asyncio.sleep(0.05)
    room.announce("sender", agent=True)
    assert await room.heard() == pytest.approx(0.1)
    assert room.ends() == [("sender", 0.1, True)]
    await room.tasks.cancel()


async def test_a_stream_that_stalls_does_not_block_the_next() -> None:
    room = Room(stall=0.01)
    room.announce("sender", agent=True)
    room.announce("other", agent=True)
    stalled, other = room.open("sender"), room.open("other")
    stalled.write(SOUND)
    other.write(SOUND)
    other.end()
    await room.tasks.done()
    assert await room.heard() == pytest.approx(0.2)
    assert room.ends() == [("sender", 0.1, True), ("other", 0.1, False)]


async def test_leaving_the_room_ends_what_was_open_as_interrupted(room: Room) -> None:
    room.announce("sender", agent=True)
    reader = room.open("sender")
    reader.write(SOUND)
    await room.tasks.settle()
    await room.tasks.cancel()
    assert await room.heard() == pytest.approx(0.1)
    assert room.ends() == [("sender", 0.1, True)]


async def test_what_is_held_can_be_asked_for(room: Room) -> None:
    header = StreamHeader(RATE, 1, "seg_1", 3)
    room.open("sender", header.attributes())
    assert room.receiver.held("sender") == [header]
    assert room.receiver.held("other") == []
    room.announce("sender", agent=True)
    assert room.receiver.held("sender") == []
    assert [stream.header for stream in room.playout.streams("sender")] == [header]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"num_channels": "1"},
        {"sample_rate": "0", "num_channels": "1"},
        {"sample_rate": "16000", "num_channels": "7"},
        {"sample_rate": "1000000000", "num_channels": "1"},
        {"sample_rate": "-16000", "num_channels": "1"},
        {"sample_rate": "16k", "num_channels": "mono"},
        {"sample_rate": "9" * 5_000, "num_channels": "1"},
    ],
)
async def test_a_malformed_header_is_refused_with_a_log_line(
    room: Room, caplog: pytest.LogCaptureFixture, attributes: dict[str, str]
) -> None:
    room.announce("sender", agent=True)
    reader = room.open("sender", attributes)
    assert reader.closed
    assert "an audio stream was refused" in caplog.text
    good = room.open("sender")
    good.write(SOUND)
    good.end()
    assert await room.heard() == pytest.approx(0.1)


async def test_more_than_may_wait_interrupts_the_stream(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    room.announce("sender", agent=True)
    reader = room.open("sender", StreamHeader(4_000, 1).attributes())
    reader.write(bytes(2 * 4_000 * 60 * 29))
    reader.write(bytes(2 * 4_000 * 60 * 2))
    await room.tasks.settle()
    room.source.run(0.1)
    assert reader.closed
    assert isinstance(room.source.events[-1], Finished)
    assert room.source.events[-1].interrupted
    assert "half an hour" in caplog.text
