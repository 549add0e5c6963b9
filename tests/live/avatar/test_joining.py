"""An avatar that is called back while LiveKit lets it in does not stay behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from livekit import api

from mouthpiece import wire
from mouthpiece.errors import RoomError
from mouthpiece_avatar import session as session_module
from mouthpiece_avatar.face.renderer import FaceRenderer
from mouthpiece_avatar.session import Session
from mouthpiece_avatar.token import Claims
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.avatar.conftest import AVATAR, avatar_token
from tests.live.avatar.holding_proxy import HoldingProxy
from tests.unit.avatar.plain_face import plain_face


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 (LiveKit has to be asked)
            await asyncio.sleep(0.05)


async def is_there(server: api.LiveKitAPI, room: str) -> bool:
    return bool((await server.room.list_rooms(api.ListRoomsRequest(names=[room]))).rooms)


async def is_empty(server: api.LiveKitAPI, room: str) -> bool:
    return not (await server.room.list_participants(api.ListParticipantsRequest(room=room))).participants


@pytest.mark.parametrize("leave_within", [0.1, 5.0], ids=["after it was waited for", "while it is waited for"])
async def test_a_connect_that_comes_about_after_the_end_is_taken_back(
    livekit: LiveKit, room_name: str, monkeypatch: pytest.MonkeyPatch, leave_within: float
) -> None:
    monkeypatch.setattr(session_module, "LEAVE_WITHIN", leave_within)
    async with (
        HoldingProxy(livekit.url) as proxy,
        api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server,
        asyncio.timeout(30),
    ):
        request = wire.StartAvatar(proxy.url, avatar_token(livekit, room_name), "any", "mia")
        session = Session("ses_1", request, Claims(AVATAR, room_name), FaceRenderer(plain_face()))
        running = asyncio.create_task(session.run())
        await proxy.asked.wait()
        session.end("ended by request")
        if leave_within < 1:
            await asyncio.wait({running})
        proxy.let_go.set()
        await until(lambda: is_there(server, room_name))
        with pytest.raises(RoomError, match="called back"):
            await running
        assert session._late_leave is not None
        await session._late_leave
        await until(lambda: is_empty(server, room_name))
