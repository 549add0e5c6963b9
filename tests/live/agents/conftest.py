"""One worker per module, for all tests that leave it running: others start workers of the same name."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from livekit import api

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.agents.services import AvatarServer, Rooms, RunningProcess, worker


@pytest.fixture(scope="module")
def agent_name() -> str:
    return f"worker-{uuid.uuid4().hex[:6]}"


@pytest.fixture(scope="module")
def running_worker(
    livekit: LiveKit, avatar_server: AvatarServer, agent_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProcess]:
    values = {
        "AGENT_NAME": agent_name,
        "MOUTHPIECE_AVATAR_URL": avatar_server.url,
        "MOUTHPIECE_EMPTY_ROOM_TIMEOUT": "5",
    }
    with worker(livekit, tmp_path_factory.mktemp("worker"), **values) as process:
        process.wait_for("ready: jobs")
        yield process


@pytest.fixture
async def room_name(livekit: LiveKit, room_name: str) -> AsyncIterator[str]:
    """A room that is deleted after the test: a later worker of the same name would find it dispatched and without its
    agent, and take it up."""
    yield room_name
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        try:
            await server.room.delete_room(api.DeleteRoomRequest(room=room_name))
        except api.TwirpError as error:
            if error.code != api.TwirpErrorCode.NOT_FOUND:
                raise


@pytest.fixture
async def rooms(livekit: LiveKit, agent_name: str) -> AsyncIterator[Rooms]:
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        yield Rooms(server, agent_name)
