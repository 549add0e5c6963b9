"""Avatars are listened to: the fake avatar's track says what the segment's receipt may say."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mouthpiece.segments import AttemptState, EndedBy, Receipt, State
from mouthpiece_sender.livekit.connection import ClearAnswer
from mouthpiece_sender.livekit.server_api import ParticipantFacts
from tests.loopback.sender.fakes import avatar
from tests.unit.listening.rooms import noise, words
from tests.unit.sender.fake_connection import FakeRoom
from tests.unit.sender.listened import Words, ended_at, ends, instead, muted, said, said_and_listened_to
from tests.unit.sender.ten_ways.harness import OURS, STOCK, Silence, gateway, say
from tests.virtual_time import in_virtual_time, now


@in_virtual_time
async def test_a_segment_that_came_back_is_heard_and_its_receipt_hardly_late() -> None:
    room = FakeRoom(STOCK)
    for end in await ends(room, [0.6, 2.0, 5.0]):
        assert (end.state, end.receipt) == (State.FINISHED, Receipt.HEARD)
        assert [attempt.receipt for attempt in end.attempts] == [Receipt.HEARD]
        assert end.finished_at is not None


@in_virtual_time
async def test_the_report_of_an_end_waits_for_half_a_second_at_most_once_the_track_is_known() -> None:
    room = FakeRoom(STOCK, lag=0.25)
    async with gateway(room, listens=True) as running:
        for seed in range(3):
            await said(running, 2.0, seed)
            assert now() - ended_at(room) <= (0.5 if seed else 1.0) + 0.05
        room.heard_as = instead(words(8.0, 50))
        await said(running, 2.0)
        assert now() - ended_at(room) <= 0.5 + 0.05


@in_virtual_time
async def test_an_avatar_that_reports_every_end_and_says_nothing_has_finished_nothing() -> None:
    room = FakeRoom(STOCK, heard_as=muted)
    async with gateway(room, listens=True) as running:
        end = await said(running, 2.0)
        assert (end.state, end.receipt, end.ended_by) == (State.UNKNOWN, Receipt.UNKNOWN, EndedBy.AVATAR)
        assert (end.position, end.attempts[0].state) == (0.0, AttemptState.LOST)
        assert end.error is not None
        assert end.error.type == "avatar-unheard"
        assert "MOUTHPIECE_SENDER_IDENTITY" in end.error.detail
        assert "agent-1" not in end.error.detail
        room.heard_as = lambda sound: sound
        assert (await said(running, 2.0)).receipt is Receipt.HEARD


@pytest.mark.parametrize("hiss", [None, -45.0])
def test_a_receiver_that_is_bound_elsewhere_has_finished_nothing(hiss: float | None) -> None:
    @in_virtual_time
    async def is_unheard() -> None:
        room = FakeRoom(STOCK, plays=False)
        if hiss is not None:
            room.heard_as = instead(noise(5.0, hiss))
        (end,) = await ends(room, [2.0])
        assert end.state is State.UNKNOWN
        assert end.error is not None
        assert end.error.type == "avatar-unheard"

    is_unheard()


@in_virtual_time
async def test_an_avatar_of_avalumas_is_listened_to_as_well() -> None:
    (end,) = await ends(FakeRoom(replace(avatar("x"), attributes={})), [1.0])
    assert (end.profile, end.receipt) == ("avaluma", Receipt.HEARD)


@in_virtual_time
async def test_a_missing_receipt_is_no_loss_where_the_track_bears_it_out() -> None:
    room = FakeRoom(STOCK)
    room.report = lambda *_, **__: None  # type: ignore[method-assign]
    (end,) = await ends(room, [2.0])
    assert (end.state, end.receipt) == (State.FINISHED, Receipt.HEARD)


@in_virtual_time
async def test_what_proves_nothing_is_estimated() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room, listens=True) as running:
        assert (await said(running, 0.4)).receipt is Receipt.ESTIMATED
        silent = await say(running, 1.0, sound=Silence(1.0))
        assert (await running.wait(silent.id, "finished", 10)).receipt is Receipt.ESTIMATED
        room.heard_as = instead(words(8.0, 50))
        end = await said(running, 2.0)
        assert (end.state, end.receipt) == (State.FINISHED, Receipt.ESTIMATED)


@in_virtual_time
async def test_a_sound_that_breaks_off_on_the_track_is_interrupted_where_it_did() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room, listens=True) as running:
        segment = await say(running, 5.0, sound=Words(5.0))
        await running.wait(segment.id, "playing", 5)
        begun = room.streams[0].writes[0][0]
        room.heard_as = lambda sound: sound if now() < begun + room.lag + 3.0 else muted(sound)
        end = await running.wait(segment.id, "finished", 20)
        assert (end.state, end.ended_by, end.receipt) == (State.INTERRUPTED, EndedBy.AVATAR, Receipt.HEARD)
        assert end.position == pytest.approx(3.0, abs=0.5)
        assert end.attempts[0].position == end.position


@in_virtual_time
async def test_a_loop_of_one_sound_is_heard_each_time() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room, listens=True) as running:
        segments = [await say(running, 1.5, sound=Words(1.5)) for _ in range(8)]
        received = [(await running.wait(segment.id, "finished", 60)).receipt for segment in segments]
    assert received == [Receipt.HEARD] * 8


@in_virtual_time
async def test_the_next_segment_does_not_wait_for_the_verdict_about_this_one() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room, listens=True) as running:
        first = await say(running, 2.0, sound=Words(2.0))
        second = await say(running, 2.0, sound=Words(2.0, 2))
        await running.wait(first.id, "playing", 10)
        await asyncio.sleep(room.streams[0].writes[0][0] + 2.15 - now())
        assert room.streams[1].opened_at == pytest.approx(room.streams[0].writes[0][0] + 2.0, abs=0.1)
        playing = await running.segment(first.id)
        assert (playing.state, playing.position) == (State.PLAYING, pytest.approx(2.0, abs=0.01))
        ended = [await running.wait(segment.id, "finished", 10) for segment in (first, second)]
        assert [end.receipt for end in ended] == [Receipt.HEARD] * 2


@in_virtual_time
async def test_the_track_is_listened_to_only_while_something_plays() -> None:
    room = FakeRoom(STOCK)
    async with gateway(room, listens=True) as running:
        running.expect("demo")
        await asyncio.sleep(5)
        assert room.connections
        assert room.listeners == 0
        segment = await say(running, 2.0, sound=Words(2.0))
        await running.wait(segment.id, "playing", 10)
        assert room.listeners == 1
        await running.wait(segment.id, "finished", 10)
        await asyncio.sleep(4)
        assert room.listeners == 0
        assert (await said(running, 2.0)).receipt is Receipt.HEARD


@in_virtual_time
async def test_listening_can_be_switched_off() -> None:
    for kind in (OURS, STOCK):
        room = FakeRoom(kind, heard_as=muted)
        async with gateway(room) as running:
            end, listened = await said_and_listened_to(running, room)
            assert (end.state, end.receipt, listened) == (State.FINISHED, Receipt.CONFIRMED, False)


@pytest.mark.parametrize("kind", [OURS, STOCK])
@pytest.mark.parametrize("addressed", [True, False])
def test_an_avatar_that_leaves_while_a_stream_opens_is_not_listened_to(kind: ParticipantFacts, addressed: bool) -> None:
    @in_virtual_time
    async def leaves() -> None:
        room = FakeRoom(kind, open_takes=1.0)
        async with gateway(room, listens=True) as running:
            options = {"avatar": kind.identity} if addressed else {}
            segment = await say(running, 2.0, sound=Words(2.0), **options)
            await asyncio.sleep(0.7)
            assert not room.streams
            room.avatar_leaves()
            await asyncio.sleep(1.0)
            assert room.listeners == 0
            assert (await running.wait(segment.id, "finished", 60)).state is State.FAILED

    leaves()


@in_virtual_time
async def test_an_avatar_without_a_track_is_believed_where_it_reports_and_unheard_where_it_does_not() -> None:
    (end,) = await ends(FakeRoom(STOCK, has_track=False), [2.0])
    assert (end.state, end.receipt) == (State.FINISHED, Receipt.CONFIRMED)
    (end,) = await ends(FakeRoom(STOCK, has_track=False, plays=False), [2.0])
    assert end.error is not None
    assert end.error.type == "avatar-unheard"


@in_virtual_time
async def test_a_track_of_which_nothing_arrives_bears_nothing_out() -> None:
    (end,) = await ends(FakeRoom(STOCK, track_arrives=False), [2.0])
    assert (end.state, end.receipt) == (State.FINISHED, Receipt.ESTIMATED)


@in_virtual_time
async def test_an_avatar_that_leaves_before_the_verdict_has_ended_what_it_reported() -> None:
    room = FakeRoom(STOCK, lag=0.45)
    async with gateway(room, listens=True) as running:
        segment = await say(running, 2.0, sound=Words(2.0))
        await running.wait(segment.id, "playing", 10)
        await asyncio.sleep(room.streams[0].writes[0][0] + 2.1 - now())
        assert room.heard
        assert (await running.segment(segment.id)).state is State.PLAYING
        room.avatar_leaves()
        end = await running.wait(segment.id, "finished", 10)
        assert (end.state, end.receipt) == (State.FINISHED, Receipt.CONFIRMED)


@pytest.mark.parametrize("kind", [OURS, STOCK])
@pytest.mark.parametrize("at", [1.0, 4.9])
def test_what_the_caller_cut_is_reported_at_once(kind: ParticipantFacts, at: float) -> None:
    @in_virtual_time
    async def is_at_once() -> None:
        room = FakeRoom(kind, heard_as=muted)
        async with gateway(room, listens=True) as running:
            segment = await say(running, 5.0, sound=Words(5.0))
            await running.wait(segment.id, "playing", 5)
            await asyncio.sleep(room.streams[0].writes[0][0] + at - now())
            before = now()
            (ended,) = await running.interrupt("demo")
            assert ended.state is State.INTERRUPTED
            assert now() - before < 0.1

    is_at_once()


@in_virtual_time
async def test_an_avatar_that_is_bound_to_its_agent_is_no_reason_to_take_the_agents_identity() -> None:
    async with gateway(FakeRoom(STOCK, clear_answers=[ClearAnswer.REJECT]), listens=True) as running:
        end = await said(running, 2.0)
    assert end.error is not None
    assert end.error.type == "avatar-bound-elsewhere"
    assert "unless that is the agent" in end.error.detail
