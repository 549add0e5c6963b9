"""docs/wire.md, ways 4, 5, 6, 7 and 10: streams, pace and receipts."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from mouthpiece.playback.commands import Utterance
from mouthpiece.playback.pacing import BURST, LEAD
from mouthpiece.segments import Mode, Receipt, State
from mouthpiece.wire import PlaybackReceipt
from mouthpiece_sender.livekit.connection import ReceiptArrived
from tests.unit.sender.fake_connection import FakeRoom, FakeStream
from tests.unit.sender.ten_ways.harness import OURS, STOCK, Silence, gateway, say, target
from tests.virtual_time import in_virtual_time, now


@pytest.mark.parametrize("avatar", [OURS, STOCK], ids=["ours", "stock"])
def test_way_4_streams_never_overlap(avatar: object) -> None:
    @in_virtual_time
    async def one_at_a_time() -> None:
        room = FakeRoom(avatar, close_takes=0.6)  # type: ignore[arg-type]
        async with gateway(room) as running:
            first, second = await say(running, 30.0), await say(running, 1.0)
            await running.wait(first.id, "playing", 10)
            await running.interrupt("demo")
            assert (await running.wait(second.id, "finished", 10)).state is State.FINISHED
        one, two = room.streams
        assert one.closed_at is not None
        assert two.opened_at >= one.closed_at

    one_at_a_time()


@in_virtual_time
async def test_way_4_a_stream_whose_source_stalls_is_kept_alive() -> None:
    """A stock receiver ends a stream that brought no chunk for 10 s."""
    room = FakeRoom(STOCK)
    async with gateway(room) as running:
        await running.wait((await say(running, 2.0, sound=Silence(2.0, stall=35.0))).id, "finished", 60)
    (stream,) = room.streams
    moments = [moment for moment, _ in stream.writes]
    assert moments[-1] > 30
    assert max(later - earlier for earlier, later in itertools.pairwise(moments)) < 10


@in_virtual_time
async def test_way_5_nothing_queues_behind_a_clear() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room) as running:
        segments = [await say(running, 1.0) for _ in range(3)]
        await running.wait(segments[0].id, "playing", 10)
        await asyncio.sleep(0.8)  # all of the first has been sent by now
        ended = await running.interrupt("demo", queued="drop")
        assert len(ended) == 3
        await asyncio.sleep(10)
    assert [stream for stream, _ in room.heard] == room.streams[:1]
    assert len(room.streams) == 1


def sent_by(stream: FakeStream, moment: float) -> float:
    """Seconds of audio."""
    sent = [total for at, total in stream.writes if at <= moment]
    return max(sent, default=0) / 2 / stream.header.sample_rate


@in_virtual_time
async def test_way_6_sending_stays_close_to_playback() -> None:
    room = FakeRoom(OURS)
    async with gateway(room) as running:
        segment = await say(running, 600.0)
        await running.wait(segment.id, "playing", 10)
        await asyncio.sleep(60)
        (stream,) = room.streams
        began = stream.writes[0][0]
        assert sent_by(stream, began) <= BURST
        for moment, total in stream.writes:
            assert total / 2 / stream.header.sample_rate <= moment - began + LEAD + 0.01
        assert sent_by(stream, began + 60) > 60  # and it is not late


@in_virtual_time
async def test_way_7_without_receipts_the_clock_ends_a_segment() -> None:
    room = FakeRoom(STOCK, plays=False)
    async with gateway(room) as running:
        segment = await say(running, 2.0)
        began = now()
        ended = await running.wait(segment.id, "finished", 30)
        assert (ended.state, ended.receipt) == (State.FINISHED, Receipt.ESTIMATED)
        assert ended.position == pytest.approx(2.0, abs=0.1)
        assert now() - began >= 2.0


@in_virtual_time
async def test_way_7_a_receipt_that_comes_too_early_is_not_believed() -> None:
    room = FakeRoom(STOCK, plays=False)
    async with gateway(room) as running:
        segment = await say(running, 2.0)
        await asyncio.sleep(1.2)
        (stream,) = room.streams
        assert stream.closed_at is not None
        began = stream.writes[0][0]
        room.connections[0].listener(ReceiptArrived(STOCK.identity, PlaybackReceipt(None, "finished", 2.0, False)))
        await running.wait(segment.id, "finished", 30)
        assert now() - began >= 2.0 - 0.25


@in_virtual_time
async def test_way_7_a_doubled_receipt_does_not_end_the_next_segment() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room) as running:
        first, second = await say(running, 1.0), await say(running, 3.0)
        await running.wait(first.id, "finished", 10)
        await running.wait(second.id, "playing", 10)
        room.connections[0].listener(ReceiptArrived(STOCK.identity, PlaybackReceipt(None, "finished", 1.0, False)))
        assert (await running.wait(second.id, "finished", 1)).state is State.PLAYING
        ended = await running.wait(second.id, "finished", 10)
        assert (ended.state, ended.position) == (State.FINISHED, 3.0)


@in_virtual_time
async def test_way_7_an_interruption_that_nobody_asked_for_ends_nothing() -> None:
    """It is the late receipt of an earlier clear: nobody else can clear us."""
    room = FakeRoom(STOCK)
    async with gateway(room) as running:
        segment = await say(running, 3.0)
        await running.wait(segment.id, "playing", 10)
        room.connections[0].listener(ReceiptArrived(STOCK.identity, PlaybackReceipt(None, "finished", 0.2, True)))
        ended = await running.wait(segment.id, "finished", 10)
        assert (ended.state, ended.position) == (State.FINISHED, 3.0)


@pytest.mark.parametrize("position", [0.0, 99.0])
def test_way_7_the_position_in_a_receipt_of_a_stock_receiver_is_not_believed(position: float) -> None:
    @in_virtual_time
    async def plays_out() -> None:
        room = FakeRoom(STOCK, plays=False)
        async with gateway(room) as running:
            segment = await say(running, 2.0)
            await asyncio.sleep(2.2)
            receipt = PlaybackReceipt(None, "finished", position, False)
            room.connections[0].listener(ReceiptArrived(STOCK.identity, receipt))
            ended = await running.wait(segment.id, "finished", 1)
            assert (ended.state, ended.receipt, ended.position) == (State.FINISHED, Receipt.CONFIRMED, 2.0)

    plays_out()


@pytest.mark.parametrize("ending", ["close", "stop", "cancel"])
def test_way_10_the_sender_leaves_with_every_stream_closed(ending: str) -> None:
    """``close`` is how a service ends, ``stop`` is without waiting, ``cancel`` is a fault beside the room."""

    @in_virtual_time
    async def leaves() -> None:
        room = FakeRoom(STOCK, close_takes=0.2)
        session = target(room).room("demo", lambda report, context: None, lambda room: None)
        running = asyncio.create_task(session.run())
        session.submit(Utterance("seg_1", now()), Silence(30.0), None, Mode.APPEND)
        await asyncio.sleep(3)
        assert len(room.open_streams) == 1
        if ending == "close":
            await session.close(drop_queued=True)
        elif ending == "stop":
            session.stop()
        else:
            running.cancel()
        done, _ = await asyncio.wait([running], timeout=10)
        assert done
        assert (room.open_streams, room.cut_off) == ([], [])

    leaves()


@in_virtual_time
async def test_way_10_a_close_that_has_begun_ends_before_the_sender_leaves() -> None:
    room = FakeRoom(STOCK, close_takes=0.5)
    session = target(room).room("demo", lambda report, context: None, lambda room: None)
    running = asyncio.create_task(session.run())
    session.submit(Utterance("seg_1", now()), Silence(0.4), None, Mode.APPEND)
    await asyncio.sleep(0.3)
    (stream,) = room.open_streams
    assert stream.seconds == 0.4  # all of it has been sent
    running.cancel()
    await asyncio.wait([running], timeout=10)
    assert (room.open_streams, room.cut_off) == ([], [])
