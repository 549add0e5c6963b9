"""The avatar server as a process of its own, avatars in rooms, and participants to speak to them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from livekit import api, rtc

from mouthpiece import wire
from mouthpiece_avatar.face.renderer import FaceRenderer
from mouthpiece_avatar.session import Session
from mouthpiece_avatar.sessions import Sessions
from mouthpiece_avatar.token import Claims
from mouthpiece_sender.demo.livekit_server import LiveKit, free_port
from tests.live.viewer import Viewer, viewer_token
from tests.unit.avatar.plain_face import plain_face

RATE = 16_000
AVATAR = wire.avatar_identity("mia")
PLAIN_FACE = plain_face()


@dataclass
class AvatarServer:
    """``python -m mouthpiece_avatar``, running."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        """As a service manager does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextlib.contextmanager
def running_avatar_server(log: Path, *arguments: str, **environment: str) -> Iterator[AvatarServer]:
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mouthpiece_avatar", "--port", str(port), *arguments],
            env=os.environ | {"MOUTHPIECE_AVATAR_PROCESSES": "1"} | environment,
            stderr=output,
            cwd=log.parent,
        )
        server = AvatarServer(f"http://127.0.0.1:{port}", process, log)
        try:
            _until_ready(server)
            yield server
        finally:
            server.stop()


def _until_ready(server: AvatarServer) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(server.url + "/readyz").is_success:
                return
        assert server.process.poll() is None, server.log.read_text()
        time.sleep(0.1)
    raise AssertionError("the avatar server did not become ready")


@pytest.fixture(scope="session")
def avatar_server(livekit: LiveKit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AvatarServer]:
    log = tmp_path_factory.mktemp("avatar") / "avatar.log"
    with running_avatar_server(log, LIVEKIT_URL=livekit.url) as server:
        yield server
    assert "Traceback" not in log.read_text()


def avatar_token(livekit: LiveKit, room: str, *, identity: str = AVATAR, own_attributes: bool = True) -> str:
    """As the worker makes it; without ``own_attributes`` as Avaluma's plugin does."""
    grants = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=own_attributes or None)
    return (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_kind("agent")
        .with_identity(identity)
        .with_name(identity)
        .with_grants(grants)
        .with_attributes({wire.ATTR_PUBLISH_ON_BEHALF: "agent-test"})
        .to_jwt()
    )


async def start_avatar(http: httpx.AsyncClient, livekit: LiveKit, token: str, **changes: Any) -> httpx.Response:
    body = asdict(wire.StartAvatar(livekit.url, token, "any", "mia")) | changes
    return await http.post(wire.START_AVATAR_PATH, json=body, headers={wire.API_SECRET_HEADER: "any"})


@pytest.fixture
async def http(avatar_server: AvatarServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=avatar_server.url, timeout=60) as client:
        yield client


@pytest.fixture
async def avatar(http: httpx.AsyncClient, livekit: LiveKit, room_name: str) -> AsyncIterator[str]:
    """An avatar in the room; its session id."""
    answer = await start_avatar(http, livekit, avatar_token(livekit, room_name))
    assert answer.status_code == 200, answer.text
    session_id = str(answer.json()["session_id"])
    yield session_id
    await http.delete(f"/v1/sessions/{session_id}")


@pytest.fixture
async def viewer(avatar: str, livekit: LiveKit, room_name: str) -> AsyncIterator[Viewer]:
    """A participant that sees and hears the avatar."""
    async with Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer:
        await viewer.ready()
        yield viewer


@pytest.fixture
async def listener(avatar: str, livekit: LiveKit, room_name: str) -> AsyncIterator[Viewer]:
    """A participant that hears the avatar and does not look."""
    async with Viewer(livekit.url, viewer_token(livekit, room_name), AVATAR, sound_only=True) as viewer:
        await viewer.ready()
        yield viewer


class Speaker:
    """A participant that streams sound to the avatar and keeps the receipts that it gets."""

    def __init__(self, room: rtc.Room, *, takes_receipts: bool = True) -> None:
        self.room = room
        self.receipts: list[wire.PlaybackReceipt | wire.PlaybackFinished | str] = []
        self._receipt_came = asyncio.Event()
        if takes_receipts:
            me = room.local_participant
            me.register_rpc_method(wire.RPC_PLAYBACK, self._on(wire.PlaybackReceipt.loads))
            me.register_rpc_method(wire.RPC_PLAYBACK_STARTED, self._on(lambda _: "started"))
            me.register_rpc_method(wire.RPC_PLAYBACK_FINISHED, self._on(wire.PlaybackFinished.loads))

    def _on(self, read: Callable[[str], Any]) -> Callable[[rtc.RpcInvocationData], str]:
        def handle(call: rtc.RpcInvocationData) -> str:
            assert call.caller_identity == AVATAR
            self.receipts.append(read(call.payload))
            self._receipt_came.set()
            return "ok"

        return handle

    async def first_receipts(self, count: int, timeout: float = 15) -> list[Any]:
        """Wait for the first ``count`` receipts, and return them."""
        async with asyncio.timeout(timeout):
            while len(self.receipts) < count:
                self._receipt_came.clear()
                await self._receipt_came.wait()
        return self.receipts[:count]

    async def finished(self, count: int = 1, timeout: float = 15) -> list[wire.PlaybackFinished]:
        """The first ``count`` stock receipts of an end."""
        async with asyncio.timeout(timeout):
            while True:
                ends = [receipt for receipt in self.receipts if isinstance(receipt, wire.PlaybackFinished)]
                if len(ends) >= count:
                    return ends[:count]
                self._receipt_came.clear()
                await self._receipt_came.wait()

    async def open(
        self, *, segment: str | None = None, attributes: dict[str, str] | None = None
    ) -> rtc.ByteStreamWriter:
        return await self.room.local_participant.stream_bytes(
            name="AUDIO_test",
            topic=wire.AUDIO_STREAM_TOPIC,
            destination_identities=[AVATAR],
            attributes=attributes or wire.StreamHeader(RATE, 1, segment).attributes(),
        )

    async def say(self, sound: bytes, *, segment: str | None = None) -> None:
        """All at once, as the stock sender and that of Avaluma's document do."""
        writer = await self.open(segment=segment)
        await writer.write(sound)
        await writer.aclose()

    async def clear(self) -> str:
        return await self.room.local_participant.perform_rpc(
            destination_identity=AVATAR, method=wire.RPC_CLEAR_BUFFER, payload=""
        )


Join = Callable[..., AbstractAsyncContextManager[Speaker]]


@pytest.fixture
def join(livekit: LiveKit, room_name: str) -> Join:
    """Joins the room as a sender."""

    @contextlib.asynccontextmanager
    async def joined(
        identity: str = "external-audio-sender-test", *, agent: bool = True, announced: bool = True, **options: Any
    ) -> AsyncIterator[Speaker]:
        token = (
            api.AccessToken(livekit.api_key, livekit.api_secret)
            .with_identity(identity)
            .with_kind("agent" if agent else "standard")
            .with_grants(api.VideoGrants(room_join=True, room=room_name))
        )
        room = rtc.Room()
        await room.connect(livekit.url, token.to_jwt(), rtc.RoomOptions(auto_subscribe=False))
        try:
            if announced:
                track = await room.local_participant.publish_data_track(name="presence")
                del track
            yield Speaker(room, **options)
        finally:
            await room.disconnect()

    return joined


def tone(seconds: float, hertz: float = 440.0) -> bytes:
    """Loud from its first sample to its last."""
    wave: np.ndarray = 9_000 * np.cos(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return wave.round().astype("<i2").tobytes()


async def plain_renderer(_: str) -> FaceRenderer:
    """Of every avatar, for sessions in this process: a face that needs no drawing."""
    return FaceRenderer(PLAIN_FACE)


@pytest.fixture
async def session(livekit: LiveKit, room_name: str) -> AsyncIterator[Session]:
    """An avatar of this process, so that it can be looked into and its connection be broken."""
    async with Sessions(plain_renderer, limit=1) as sessions:
        request = wire.StartAvatar(livekit.url, avatar_token(livekit, room_name), "any", "mia")
        yield await sessions.start(request, Claims(AVATAR, room_name))
