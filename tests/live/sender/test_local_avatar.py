"""Against the local avatar, as a process of its own, with a viewer who listens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from livekit import api
from livekit.rtc import TrackKind
from livekit.rtc._ffi_client import FfiClient

from mouthpiece.segments import AttemptState, Mode, Receipt, State
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from tests.live.agents.services import AvatarServer
from tests.live.sender.conftest import running_gateway, say, start_avatar
from tests.live.viewer import Viewer


@pytest.mark.timed
async def test_what_is_said_is_heard_whole_and_confirmed(access: LiveKitAccess, viewer: Viewer, room_name: str) -> None:
    async with running_gateway(access) as gateway:
        said = time.monotonic()
        segment = await say(gateway, room_name, 1.5)
        ended = await gateway.wait(segment.id, "finished", 10)
        assert (ended.state, ended.receipt, ended.profile) == (State.FINISHED, Receipt.CONFIRMED, "mouthpiece")
        assert ended.position == pytest.approx(1.5, abs=0.02)
        assert ended.viewers.start == 1
        await viewer.offset(said)
        assert viewer.loud_seconds(said) == pytest.approx(1.5, abs=0.3)


@pytest.mark.timed
async def test_nothing_is_finished_while_its_track_is_muted(
    access: LiveKitAccess, livekit: LiveKit, viewer: Viewer, room_name: str
) -> None:
    """Which an administrator of the room can do."""
    (voice,) = [
        publication.sid
        for publication in viewer.room.remote_participants["avatar-mia"].track_publications.values()
        if publication.kind == TrackKind.KIND_AUDIO
    ]
    async with running_gateway(access) as gateway:
        segment = await say(gateway, room_name, 2.0)
        assert (await gateway.wait(segment.id, "finished", 20)).receipt is Receipt.CONFIRMED
        async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
            mute = api.MuteRoomTrackRequest(room=room_name, identity="avatar-mia", track_sid=voice, muted=True)
            await server.room.mute_published_track(mute)
        await asyncio.sleep(0.5)  # the viewer's jitter buffer
        said = time.monotonic()
        segment = await say(gateway, room_name, 2.0)
        ended = await gateway.wait(segment.id, "finished", 20)
        assert (ended.state, ended.error and ended.error.type) == (State.UNKNOWN, "avatar-unheard")
        assert viewer.loud_seconds(said) < 0.1


@pytest.mark.timed
async def test_segments_follow_one_another_without_a_gap(access: LiveKitAccess, viewer: Viewer, room_name: str) -> None:
    async with running_gateway(access) as gateway:
        said = time.monotonic()
        segments = [await say(gateway, room_name, 1.0) for _ in range(3)]
        for segment in segments:
            assert (await gateway.wait(segment.id, "finished", 10)).state is State.FINISHED
        onset = await viewer.onset(said)
        offset = await viewer.offset(said)
        loud = viewer.loud_seconds(said)
        # A busy machine's jitter buffer may stretch the sound, but puts no silence into it.
        assert sum(viewer.gaps(onset, offset)) < 0.1
        assert loud == pytest.approx(3.0, abs=0.5)


async def test_an_interrupt_keeps_what_waits_even_what_was_sent_ahead(
    access: LiveKitAccess, viewer: Viewer, room_name: str
) -> None:
    async with running_gateway(access) as gateway:
        first = await say(gateway, room_name, 2.5)
        second = await say(gateway, room_name, 1.0)
        await gateway.wait(first.id, "playing", 5)
        await asyncio.sleep(1.4)
        (ended,) = await gateway.interrupt(room_name)
        assert (ended.id, ended.state, ended.receipt) == (first.id, State.INTERRUPTED, Receipt.CONFIRMED)
        after = await gateway.wait(second.id, "finished", 5)
        assert (after.state, after.receipt) == (State.FINISHED, Receipt.CONFIRMED)
        assert after.position == pytest.approx(1.0, abs=0.02)


async def test_interrupt_mode_stops_what_plays_and_goes_first(
    access: LiveKitAccess, viewer: Viewer, room_name: str
) -> None:
    async with running_gateway(access) as gateway:
        first = await say(gateway, room_name, 8.0)
        waiting = await say(gateway, room_name, 0.3)
        await gateway.wait(first.id, "playing", 5)
        await asyncio.sleep(0.5)
        urgent = await say(gateway, room_name, 0.3, mode=Mode.INTERRUPT)
        ends = [await gateway.wait(segment.id, "finished", 5) for segment in (first, urgent, waiting)]
        assert [end.state for end in ends] == [State.INTERRUPTED, State.FINISHED, State.FINISHED]
        assert ends[1].finished_at is not None
        assert ends[2].finished_at is not None
        assert ends[1].finished_at < ends[2].finished_at


async def test_the_avatar_killed_in_mid_segment_is_unknown_and_the_one_that_comes_back_says_the_next(
    access: LiveKitAccess, livekit: LiveKit, avatar_server: AvatarServer, viewer: Viewer, room_name: str
) -> None:
    async with running_gateway(access, avatar_timeout=60.0) as gateway:
        first = await say(gateway, room_name, 20.0)
        second = await say(gateway, room_name, 0.5)
        await gateway.wait(first.id, "playing", 5)
        await asyncio.sleep(1.0)
        await asyncio.to_thread(avatar_server.kill)
        await asyncio.to_thread(avatar_server.start_again)
        await start_avatar(livekit, avatar_server, room_name)
        lost = await gateway.wait(first.id, "finished", 30)
        assert (lost.state, lost.receipt) == (State.UNKNOWN, Receipt.UNKNOWN)
        assert lost.error is not None
        assert lost.error.type == "avatar-left"
        heard = await gateway.wait(second.id, "finished", 30)
        assert (heard.state, heard.receipt) == (State.FINISHED, Receipt.CONFIRMED)


async def test_two_senders_are_heard_one_after_the_other_and_an_interrupt_stops_its_own_only(
    access: LiveKitAccess, viewer: Viewer, room_name: str
) -> None:
    async with running_gateway(access) as one, running_gateway(access) as two:
        first = await say(one, room_name, 3.0)
        await one.wait(first.id, "playing", 5)
        second = await say(two, room_name, 1.0)
        await asyncio.sleep(0.5)
        await two.interrupt(room_name)
        assert (await one.wait(first.id, "finished", 10)).state is State.FINISHED
        after = await two.wait(second.id, "finished", 10)
        assert after.state.terminal
        third = await say(two, room_name, 0.5)
        assert (await two.wait(third.id, "finished", 10)).state is State.FINISHED


async def test_a_closed_room_ends_what_played_as_unknown_with_the_reason(
    access: LiveKitAccess, livekit: LiveKit, viewer: Viewer, room_name: str
) -> None:
    async with running_gateway(access, avatar_timeout=2.0) as gateway:
        segment = await say(gateway, room_name, 20.0)
        await gateway.wait(segment.id, "playing", 5)
        async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
            await server.room.delete_room(api.DeleteRoomRequest(room=room_name))
        ended = await gateway.wait(segment.id, "finished", 10)
        assert ended.state is State.UNKNOWN
        assert ended.error is not None
        assert ended.error.type == "room-closed"


async def test_thrown_out_as_a_duplicate_it_says_so_and_does_not_come_back(
    access: LiveKitAccess, viewer: Viewer, room_name: str
) -> None:
    async with running_gateway(access, identity="external-audio-sender") as gateway:
        segment = await say(gateway, room_name, 20.0)
        await gateway.wait(segment.id, "playing", 5)
        async with running_gateway(access, identity="external-audio-sender") as other:
            said = await say(other, room_name, 0.5)
            assert (await other.wait(said.id, "finished", 10)).state is State.FINISHED
        ended = await gateway.wait(segment.id, "finished", 10)
        assert ended.error is not None
        assert ended.error.type == "duplicate-identity"
        assert not gateway.activity()[room_name].connected


async def test_it_leaves_a_room_that_has_gone_quiet_and_comes_back_when_there_is_something_to_say(
    access: LiveKitAccess, viewer: Viewer, room_name: str
) -> None:
    def senders() -> list[str]:
        return [name for name in viewer.room.remote_participants if name.startswith("external-audio-sender")]

    async with running_gateway(access, warm=0.5) as gateway:
        for _ in range(3):
            segment = await say(gateway, room_name, 0.3)
            assert (await gateway.wait(segment.id, "finished", 10)).state is State.FINISHED
            await until(lambda: not senders() and room_name not in gateway.activity())


async def test_what_comes_while_it_is_on_its_way_out_is_said_too(
    access: LiveKitAccess, viewer: Viewer, room_name: str
) -> None:
    async with running_gateway(access, warm=0.3) as gateway:
        for turn in range(8):
            addressed = {"avatar": "avatar-mia"} if turn % 2 else {}
            segment = await say(gateway, room_name, 0.2, **addressed)
            ended = await gateway.wait(segment.id, "finished", 10)
            assert (ended.state, ended.receipt) == (State.FINISHED, Receipt.CONFIRMED)
            await asyncio.sleep(0.29 + 0.01 * turn)


async def test_leaving_begins_nothing_that_waits(access: LiveKitAccess, viewer: Viewer, room_name: str) -> None:
    async with running_gateway(access) as gateway:
        first = await say(gateway, room_name, 20.0)
        second = await say(gateway, room_name, 20.0)
        await gateway.wait(first.id, "playing", 5)
        await asyncio.sleep(0.5)
    left = time.monotonic()
    cut = await gateway.segment(first.id)  # the next process goes on from there
    assert (cut.state, cut.attempts[0].state) == (State.PLAYING, AttemptState.INTERRUPTED)
    assert cut.attempts[0].position == pytest.approx(0.5, abs=0.4)
    assert (await gateway.segment(second.id)).state is State.QUEUED
    await asyncio.sleep(1.5)
    assert viewer.loud_seconds(left + 0.5) < 0.1


async def test_what_others_stream_to_everybody_leaves_nothing_behind(
    access: LiveKitAccess, viewer: Viewer, room_name: str
) -> None:
    def subscriptions() -> int:
        return len(FfiClient.instance.queue._subscribers)

    async with running_gateway(access) as gateway:
        segment = await say(gateway, room_name, 0.2)
        await gateway.wait(segment.id, "finished", 10)
        before = subscriptions()
        for number in range(5):
            await viewer.room.local_participant.send_text(f"message {number}", topic="lk.chat")
        segment = await say(gateway, room_name, 0.2)
        await gateway.wait(segment.id, "finished", 10)
        await until(lambda: subscriptions() <= before)


async def until(condition: Callable[[], bool]) -> None:
    """Returns once it holds: LiveKit tells a viewer who has left in its own time."""
    async with asyncio.timeout(10):
        while True:
            if condition():
                return
            await asyncio.sleep(0.05)
