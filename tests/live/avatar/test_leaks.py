"""After a session nothing of it is left: no task, no open file, no subscription, no handler."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

from livekit import api
from livekit.rtc._ffi_client import FfiClient

from mouthpiece import wire
from mouthpiece_avatar.sessions import Sessions
from mouthpiece_avatar.token import Claims
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.avatar.conftest import AVATAR, Join, avatar_token, plain_renderer, tone
from tests.live.viewer import Viewer, viewer_token


def held() -> dict[str, int]:
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "files": len(os.listdir("/proc/self/fd")),
        "subscriptions": len(FfiClient.instance.queue._subscribers),
    }


async def one_session(livekit: LiveKit, room: str, join: Join) -> None:
    """Joins, speaks, is interrupted in the middle of a stream, and leaves with a stream open."""
    async with Sessions(plain_renderer, limit=5) as sessions:
        request = wire.StartAvatar(livekit.url, avatar_token(livekit, room), "any", "mia")
        session = await sessions.start(request, Claims(AVATAR, room))
        async with join() as sender:
            await sender.say(tone(0.2), segment="seg")
            await sender.finished()
            await sender.say(tone(5))
            await sender.clear()
            await sender.finished(2)
            left_open = await sender.open()
            await left_open.write(tone(0.3))
            assert await sessions.end(session.id)
            await left_open.aclose()
        assert sessions.all() == []


async def settled(wanted: dict[str, int]) -> dict[str, int]:
    """What is held once it has come down to ``wanted``, or after five seconds: the native side closes by and by."""
    now = held()
    for _ in range(50):
        now = held()
        if all(now[name] <= wanted[name] for name in wanted):
            break
        await asyncio.sleep(0.1)
    return now


async def test_sessions_leave_nothing_behind(livekit: LiveKit, room_name: str, join: Join) -> None:
    for _ in range(2):
        await one_session(livekit, room_name, join)  # loads what stays for good
    await asyncio.sleep(1)
    before = held()
    for _ in range(6):
        await one_session(livekit, room_name, join)
    after = await settled(before)
    assert after["tasks"] <= before["tasks"]
    assert after["subscriptions"] <= before["subscriptions"]
    assert after["files"] <= before["files"] + 3


def capturing() -> int:
    """Native threads of audio sources."""
    gc.collect()
    names = [Path(f"/proc/self/task/{task}/comm").read_text() for task in os.listdir("/proc/self/task")]
    return sum(name.startswith("AudioSourceCapt") for name in names)


async def test_rooms_that_are_deleted_in_mid_speech_after_it_was_asked_to_leave_leave_no_thread(
    livekit: LiveKit, room_name: str, join: Join
) -> None:
    async with api.LiveKitAPI(livekit.url.replace("ws", "http", 1), livekit.api_key, livekit.api_secret) as server:
        before = await asyncio.to_thread(capturing)
        for _ in range(10):
            async with Sessions(plain_renderer, limit=1) as sessions:
                request = wire.StartAvatar(livekit.url, avatar_token(livekit, room_name), "any", "mia")
                session = await sessions.start(request, Claims(AVATAR, room_name))
                async with join() as sender:
                    await sender.say(tone(5), segment="seg")
                    await sender.first_receipts(1)
                    await sender.room.local_participant.perform_rpc(
                        destination_identity=AVATAR, method=wire.RPC_LEAVE, payload=""
                    )
                    async with asyncio.timeout(5):
                        while sessions.all():  # noqa: ASYNC110 (a session ends by itself)
                            await asyncio.sleep(0.02)
                    await server.room.delete_room(api.DeleteRoomRequest(room=room_name))
                assert "asked it to leave" in session.reason
            del session, sessions
        await asyncio.sleep(1)
        assert await asyncio.to_thread(capturing) <= before


async def test_a_room_that_its_last_viewer_has_left_is_left_before_it_closes(livekit: LiveKit, room_name: str) -> None:
    async with api.LiveKitAPI(livekit.url.replace("ws", "http", 1), livekit.api_key, livekit.api_secret) as server:
        await server.room.create_room(api.CreateRoomRequest(name=room_name, departure_timeout=12))
        async with Sessions(plain_renderer, limit=1) as sessions:
            request = wire.StartAvatar(livekit.url, avatar_token(livekit, room_name), "any", "mia")
            session = await sessions.start(request, Claims(AVATAR, room_name))
            async with Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer:
                await viewer.ready()
                await asyncio.sleep(4)  # a viewer who publishes nothing is announced up to 3 s late
            async with asyncio.timeout(15):
                while sessions.all():  # noqa: ASYNC110 (a session ends by itself)
                    await asyncio.sleep(0.02)
        assert "about to close" in session.reason
        rooms = await server.room.list_rooms(api.ListRoomsRequest(names=[room_name]))
        assert len(rooms.rooms) == 1
