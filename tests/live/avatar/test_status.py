"""``mouthpiece.status``: what became of a sender's streams, however often it was away or started again."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest
from livekit import rtc

from mouthpiece import wire
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.avatar.conftest import AVATAR, RATE, Join, Speaker, avatar_token, start_avatar, tone
from tests.live.viewer import Viewer

pytestmark = pytest.mark.usefixtures("avatar")


async def ask(sender: Speaker) -> wire.Status:
    answer = await sender.room.local_participant.perform_rpc(
        destination_identity=AVATAR, method=wire.RPC_STATUS, payload="", response_timeout=5
    )
    return wire.Status.loads(answer)


def numbered(segment: str, attempt: int = 1) -> dict[str, str]:
    return wire.StreamHeader(RATE, 1, segment, attempt).attributes()


async def test_it_says_what_plays_what_waits_and_what_has_ended(viewer: Viewer, join: Join) -> None:
    async with join() as sender:
        assert await ask(sender) == wire.Status()
        began = time.monotonic()
        for segment, seconds in (("one", 0.3), ("two", 4.0), ("three", 0.3)):
            writer = await sender.open(attributes=numbered(segment, 2))
            await writer.write(tone(seconds))
            await writer.aclose()
        await sender.finished(1)
        await asyncio.sleep(0.4)
        status = await ask(sender)
        elapsed = time.monotonic() - began
        assert status.playing is not None
        assert (status.playing.segment, status.playing.attempt) == ("two", 2)
        assert 0.3 < status.playing.position < elapsed - 0.3, "no more than there was time for after the first"
        assert status.held == ("three",)
        assert status.ended == (wire.StatusEnded("one", 0.3, False, "confirmed", 2),)
        await sender.finished(3)
        status = await ask(sender)
        assert status.playing is None
        assert status.held == ()
        assert [(end.segment, round(end.position, 3), end.interrupted) for end in status.ended] == [
            ("one", 0.3, False),
            ("two", 4.0, False),
            ("three", 0.3, False),
        ]


async def test_a_sender_that_was_started_again_learns_what_was_heard_of_the_stream_it_left_open(join: Join) -> None:
    async with join() as sender:
        writer = await sender.open(attributes=numbered("whole"))
        await writer.write(tone(0.3))
        await writer.aclose()
        await sender.finished(1)
        open_at_its_end = await sender.open(attributes=numbered("cut"))
        await open_at_its_end.write(tone(0.8))
        await asyncio.sleep(0.3)
    async with join(announced=False) as sender:  # the same identity, before anybody has been told of it
        async with asyncio.timeout(10):
            status = await ask(sender)
            while len(status.ended) < 2:
                status = await ask(sender)
    assert status.held == ()
    whole, cut = status.ended
    assert whole == wire.StatusEnded("whole", 0.3, False, "confirmed", 1)
    assert (cut.segment, cut.interrupted) == ("cut", True)
    assert cut.position == pytest.approx(0.8, abs=0.001)


async def test_a_stream_that_waits_for_its_sender_to_be_announced_is_held(join: Join) -> None:
    async with join(announced=False) as sender:
        writer = await sender.open(attributes=numbered("early"))
        await writer.write(tone(0.5))
        status = await ask(sender)
        assert (status.playing, status.held, status.ended) == (None, ("early",), ())
        await writer.aclose()
        await sender.finished(1)
        assert [end.segment for end in (await ask(sender)).ended] == ["early"]


async def test_a_stream_whose_header_was_sent_before_the_question_is_in_the_answer(join: Join) -> None:
    async with join() as sender:
        await ask(sender)
        missing = []
        for number in range(100):
            segment = f"seg_{number}"
            writer = await sender.open(attributes=numbered(segment))
            status = await ask(sender)
            known = [*status.held, *(end.segment for end in status.ended)]
            if status.playing is not None:
                known.append(status.playing.segment)
            if segment not in known:
                missing.append(segment)
            await writer.aclose()
    assert missing == []


async def test_one_sender_hears_nothing_of_another(join: Join) -> None:
    async with join("external-audio-sender-a") as one, join("external-audio-sender-b") as other:
        await one.say(tone(0.3), segment="mine")
        await one.finished(1)
        assert (await ask(other)).ended == ()
        assert len((await ask(one)).ended) == 1


async def test_a_viewer_may_neither_ask_nor_send_the_avatar_away(join: Join, livekit: LiveKit) -> None:
    async with join("viewer-curious", agent=False) as viewer:
        await asyncio.sleep(0.5)  # until it is announced
        for method in (wire.RPC_STATUS, wire.RPC_LEAVE):
            with pytest.raises(rtc.RpcError, match="agents"):
                await viewer.room.local_participant.perform_rpc(
                    destination_identity=AVATAR, method=method, payload="", response_timeout=5
                )


async def test_asked_to_leave_it_answers_says_so_and_leaves(join: Join) -> None:
    async with join() as sender:
        await sender.say(tone(2), segment="seg")
        await sender.first_receipts(1)
        gone = asyncio.Event()
        sender.room.on("participant_disconnected", lambda participant: gone.set())
        avatar = sender.room.remote_participants[AVATAR]
        answer = await sender.room.local_participant.perform_rpc(
            destination_identity=AVATAR, method=wire.RPC_LEAVE, payload="", response_timeout=5
        )
        async with asyncio.timeout(2):
            await gone.wait()
        assert avatar.attributes[wire.ATTR_LEAVING] == "true"
    assert answer == wire.CLEAR_OK


async def test_an_avatar_that_was_started_again_is_another_session_and_knows_nothing(
    join: Join, http: httpx.AsyncClient, livekit: LiveKit, room_name: str, avatar: str
) -> None:
    async with join() as sender:
        await sender.say(tone(0.3), segment="seg")
        await sender.finished(1)
        before = wire.AvatarInfo.loads(sender.room.remote_participants[AVATAR].attributes[wire.ATTR_AVATAR])
        await http.delete(f"/v1/sessions/{avatar}")
        answer = await start_avatar(http, livekit, avatar_token(livekit, room_name))
        session_id = answer.json()["session_id"]
        async with asyncio.timeout(10):
            while True:
                participant = sender.room.remote_participants.get(AVATAR)
                if participant is not None and wire.ATTR_AVATAR in participant.attributes:
                    break
                await asyncio.sleep(0.05)
        after = wire.AvatarInfo.loads(participant.attributes[wire.ATTR_AVATAR])
        status = await ask(sender)
    await http.delete(f"/v1/sessions/{session_id}")
    assert before.session == avatar
    assert after.session == session_id != avatar
    assert status == wire.Status()
