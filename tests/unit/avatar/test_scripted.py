"""What a scripted session plays, reports and answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import numpy as np
import pytest
from livekit import rtc

from mouthpiece import wire
from mouthpiece.wire import PlaybackReceipt, StreamHeader
from mouthpiece_avatar.conduct import SessionParts
from mouthpiece_avatar.playout import PlayoutQueue
from mouthpiece_avatar.playout_stream import RATE, PlayoutStream
from mouthpiece_avatar.receipts import Receipts
from mouthpiece_avatar.testing.fault import Fault
from mouthpiece_avatar.testing.named import parse
from mouthpiece_avatar.testing.scripted import Scripted
from tests.unit.avatar.simulated_source import SimulatedSource
from tests.virtual_time import in_virtual_time

HEADER = StreamHeader(RATE, 1, "seg_1", 1)
SECOND = np.full(RATE, 1_000, "<i2").tobytes()


class Session:
    """What a session gives to its conduct, on the clock of the loop; ``play`` lets time pass."""

    def __init__(self, fault: Fault) -> None:
        self.playout = PlayoutQueue()
        self.source = SimulatedSource(self.playout)
        self.ended: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.sent: list[tuple[str, str, PlaybackReceipt]] = []
        self.conduct = Scripted(fault, others=self._receipts)
        parts = SessionParts(self.playout, self._receipts(""), lambda: None, self._spawn, self.ended.append)
        self.sink = self.conduct.sink(parts)
        self._receipts_of_avatar = parts.receipts
        self._reported = 0

    def _receipts(self, by: str) -> Receipts:
        return RecordedReceipts(by, self.sent)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def say(self, seconds: int, header: StreamHeader = HEADER) -> PlayoutStream:
        stream = self.sink.open("a", header)
        for _ in range(seconds):
            self.sink.push(stream, SECOND)
        self.sink.end(stream, whole=True)
        return stream

    async def play(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.source.run(0.1)
            for event in self.source.events[self._reported :]:
                self.conduct.report(event, self._receipts_of_avatar)
            self._reported = len(self.source.events)
            await asyncio.sleep(0.1)

    @property
    def spoken(self) -> float:
        """Seconds of sound that left the source."""
        return float((self.source.sound() != 0).sum() / RATE)

    @property
    def ends(self) -> list[PlaybackReceipt]:
        return [receipt for _, _, receipt in self.sent if receipt.event == "finished"]


class RecordedReceipts(Receipts):
    def __init__(self, by: str, sent: list[tuple[str, str, PlaybackReceipt]]) -> None:
        self._by, self._sent = by, sent

    def send(self, sender: str, receipt: PlaybackReceipt) -> None:
        self._sent.append((self._by, sender, receipt))


@asynccontextmanager
async def session(text: str | None = None) -> AsyncIterator[Session]:
    made = Session(Fault() if text is None else parse(text))
    yield made
    for task in list(made.tasks):
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)


@in_virtual_time
async def test_without_a_fault_it_plays_and_reports_as_our_avatar_does() -> None:
    async with session() as here:
        await here.say(2)
        await here.play(3)
        assert here.spoken == pytest.approx(2)
        assert [(by, sender, receipt.event) for by, sender, receipt in here.sent] == [
            ("", "a", "started"),
            ("", "a", "finished"),
        ]
        assert here.ends == [PlaybackReceipt("seg_1", "finished", 2.0, False, 1)]


@in_virtual_time
async def test_a_deaf_one_plays_and_reports_nothing_of_what_comes_later() -> None:
    async with session("deaf-after:1") as here:
        await here.say(1)
        await here.play(2)
        await here.say(1)
        await here.play(2)
        assert here.spoken == pytest.approx(1)
        assert len(here.ends) == 1
        assert [stream.number for stream in here.conduct.inbound] == [1, 2]


@in_virtual_time
async def test_a_stall_holds_the_rest_until_the_next_stream_which_is_played() -> None:
    async with session("stalls:1@1") as here:
        await here.say(3)
        await here.play(5)
        assert here.spoken == pytest.approx(1)
        assert here.ends == []
        await here.say(2, StreamHeader(RATE, 1, "seg_2", 1))
        await here.play(3)
        assert here.spoken == pytest.approx(3)
        assert [(end.segment, end.interrupted) for end in here.ends] == [("seg_2", False)]


@in_virtual_time
async def test_a_stall_is_freed_by_a_clear_which_is_reported() -> None:
    async with session("stalls:1") as here:
        await here.say(3)
        await here.play(2)
        here.sink.clear("a")
        await here.play(0.5)
        assert here.ends == [PlaybackReceipt("seg_1", "finished", 1.0, True, 1)]


@in_virtual_time
async def test_a_stream_that_ends_before_its_stall_is_played() -> None:
    async with session("stalls:2") as here:
        await here.say(2)
        await here.play(3)
        assert [end.position for end in here.ends] == [2.0]


@in_virtual_time
async def test_a_lost_trailer_delays_the_end_until_it_is_given_up_or_the_next_stream_comes() -> None:
    async with session("lost-trailer:10@1") as here:
        await here.say(1)
        await here.play(9)
        assert here.ends == []
        await here.play(2)
        assert [end.position for end in here.ends] == [1.0]
    async with session("lost-trailer:10@1") as here:
        await here.say(1)
        await here.play(2)
        await here.say(1, StreamHeader(RATE, 1, "seg_2", 1))
        await here.play(2)
        assert [end.segment for end in here.ends] == ["seg_1", "seg_2"]


@in_virtual_time
async def test_it_dies_in_mid_stream_without_a_receipt() -> None:
    async with session("dies:1") as here:
        await here.say(3)
        await here.play(0.8)
        assert here.ended == []
        await here.play(0.5)
        assert len(here.ended) == 1
        assert here.ends == []


@in_virtual_time
async def test_a_silent_one_reports_what_it_did_not_play() -> None:
    async with session("silent") as here:
        await here.say(1)
        await here.play(2)
        assert here.spoken == 0
        assert [end.position for end in here.ends] == [1.0]


@in_virtual_time
async def test_late_and_doubled_receipts_are_sent_when_they_are_due() -> None:
    async with session("receipt-late:3+receipt-doubled:2") as here:
        await here.say(1)
        await here.play(3.5)
        assert here.ends == []
        await here.play(1)
        assert len(here.ends) == 1
        await here.play(2)
        assert len(here.ends) == 2


@in_virtual_time
async def test_an_early_receipt_says_how_much_was_received() -> None:
    async with session("receipt-early") as here:
        await here.say(2)
        assert here.ends == [PlaybackReceipt("seg_1", "finished", 2.0, False, 1)]
        await here.play(3)
        assert len(here.ends) == 1
        assert here.spoken == pytest.approx(2)


@in_virtual_time
async def test_another_participant_sends_what_the_fault_gives_to_it() -> None:
    async with session("receipt-other-participant:eve") as here:
        await here.say(1)
        await here.play(2)
        assert [(by, receipt.event) for by, _, receipt in here.sent] == [("", "started"), ("eve", "finished")]


async def right() -> str:
    return "right"


@in_virtual_time
async def test_calls_are_answered_late_wrongly_or_not_at_all() -> None:
    loop = asyncio.get_running_loop()
    async with session("slow-rpc:3") as here:
        assert await here.conduct.answer(wire.RPC_CLEAR_BUFFER, "a", right) == "right"
        assert loop.time() == pytest.approx(3)
    async with session("rejects") as here:
        assert await here.conduct.answer(wire.RPC_CLEAR_BUFFER, "a", right) == wire.CLEAR_REJECT
    async with session("bound-elsewhere") as here:
        with pytest.raises(rtc.RpcError) as refused:
            await here.conduct.answer(wire.RPC_CLEAR_BUFFER, "a", right)
        assert refused.value.code == rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD


@in_virtual_time
async def test_it_comes_late() -> None:
    async with session("joins-late:4") as here:
        await here.conduct.before_joining()
        assert asyncio.get_running_loop().time() == pytest.approx(4)
