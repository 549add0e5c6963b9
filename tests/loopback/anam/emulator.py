"""An emulator of Anam's engine, for tests, written after Anam's SDK 0.12: it answers what the SDK expects.

Not confirmed by Anam: that the engine ends the session for a rate outside 16 to 48 kHz. The limits are the recipe's
(``passthrough``); the SDK sends any rate, and warns below 16 and above 24 kHz. How the real engine treats other rates
is not known, nor whether it closes its connections after it has ended a session: this emulator leaves them open.

One HTTP call opens a session, a WebSocket carries the signalling and the sound, WebRTC (aiortc) carries picture and
sound back. The avatar (``emulated_avatar``) is a box that moves over a blue ground. While it speaks, the pushed audio
is its sound and the ground is white, so that a recording shows whether the two are in sync.

Every push is recorded, with its time relative to ``sessionready``. ``Faults`` are the faults that it can have.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiortc import RTCPeerConnection, RTCSessionDescription

from mouthpiece.audio.pcm import Pcm
from tests.loopback.anam.emulated_avatar import AvatarPicture, AvatarSound, Voice

KEY = "emulated-key"


@dataclass
class Faults:
    """The faults of an engine; none by default."""

    never_ready: bool = False
    ready_after: float = 0.1
    """Seconds from the connection."""
    ready_first: bool = False
    """Send ``sessionready`` before the answer to the offer."""
    refuse_socket: bool = False
    no_answer: bool = False
    """Do not answer the offer."""
    no_path: bool = False
    """Put a port where nothing listens into the candidates of offer and answer."""
    refuse_sound: str | None = None
    """The reason with which the first chunk ends the session."""
    end_session_after: float | None = None
    """Seconds after the first push the engine ends the session, with its message."""
    close_after: float | None = None
    """Seconds after the first push the engine goes away, with the ordinary close code and no message."""
    abort_after: float | None = None
    """Seconds after the first push the connection breaks without a close."""
    end_before_ready: bool = False
    status: int | None = None
    """The session call's answer, with ``error``."""
    error: str = ""
    not_ours: bool = False
    """The session call is answered by something that is not Anam."""


@dataclass
class Push:
    at: float
    """Seconds after sessionready; negative before it."""
    data: bytes
    sample_rate: int
    channels: int
    encoding: str
    sequence: int


@dataclass
class EngineSession:
    """The messages and connections of one session."""

    request: dict[str, Any]
    log: list[str] = field(default_factory=list)
    """``push``, ``end`` and ``interrupt`` in order of arrival, and ``drop`` where a fault ended the session."""
    sockets: int = 0
    """WebSockets that were opened."""
    open: int = 0
    """WebSockets that are open."""
    peers: list[RTCPeerConnection] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    """The time of each end of a sequence, in seconds after sessionready."""
    too_early: int = 0
    """Pushes before sessionready."""
    refused_rate: int | None = None
    interrupts: int = 0
    end_sessions: int = 0
    """``endsession`` messages of the client."""
    ready_at: float | None = None
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no WebSocket is open."""
    pushed: asyncio.Event = field(default_factory=asyncio.Event)
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)
    """An interrupt is not acknowledged: the client's call may return before it arrives."""

    @property
    def sound(self) -> bytes:
        return b"".join(push.data for push in self.pushes)


class Engine:
    """``async with engine(faults) as emulated:`` runs one that listens at ``url``."""

    def __init__(self, faults: Faults, port: int) -> None:
        self.faults = faults
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.sessions: list[EngineSession] = []
        self.opened = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def session(self) -> EngineSession:
        """The only session; fails if there is none, or several."""
        (only,) = self.sessions
        return only

    def routes(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/engine/session", self._open)
        app.router.add_get("/v1/webrtc/engines/emulated/ws", self._signalling)
        return app

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(peer.close() for session in self.sessions for peer in session.peers))

    async def _open(self, request: web.Request) -> web.Response:
        if self.faults.not_ours:
            return web.Response(text="<html>hello</html>", content_type="text/html")
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": "Unauthorized", "message": "Invalid API key"}, status=401)
        if self.faults.status is not None:
            return web.json_response({"error": self.faults.error}, status=self.faults.status)
        self.sessions.append(EngineSession(await request.json()))
        self.opened.set()
        return web.json_response(
            {
                "sessionId": f"session-{len(self.sessions)}",
                "engineHost": f"127.0.0.1:{self.port}",
                "engineProtocol": "http",
                "signallingEndpoint": "/v1/webrtc/engines/emulated/ws",
                "clientConfig": {"heartbeatIntervalSeconds": 1, "maxWsReconnectionAttempts": 2, "iceServers": []},
            }
        )

    async def _signalling(self, request: web.Request) -> web.WebSocketResponse:
        session = self.sessions[int(request.query["session_id"].removeprefix("session-")) - 1]
        if self.faults.refuse_socket:
            raise web.HTTPServiceUnavailable
        ws = web.WebSocketResponse(max_msg_size=1 << 20)
        await ws.prepare(request)
        session.sockets += 1
        session.open += 1
        session.closed.clear()
        connection = _Connection(self, session, ws)
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    await connection.take(json.loads(message.data))
        finally:
            session.open -= 1
            if not session.open:
                session.closed.set()
        return ws

    def later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Connection:
    def __init__(self, engine: Engine, session: EngineSession, ws: web.WebSocketResponse) -> None:
        self._engine, self._session, self._ws = engine, session, ws
        self._voice = Voice()

    async def take(self, message: dict[str, Any]) -> None:
        action, payload = message["actionType"], message.get("payload") or {}
        if action == "offer":
            await self._take_offer(payload["connectionDescription"])
        elif action == "agentaudioinput":
            await self._audio(payload)
        elif action == "agentaudioinputend":
            self._session.log.append("end")
            self._session.ends.append(self._since_ready())
            self._voice.end()
        elif action == "endsession":
            self._session.end_sessions += 1
        elif action == "heartbeat":
            await self._send("heartbeat", "")

    async def _take_offer(self, offer: dict[str, str]) -> None:
        faults = self._engine.faults
        if faults.ready_first:
            await self._say_ready()
        if faults.no_path:
            offer = offer | {"sdp": _nowhere(offer["sdp"])}
        if not faults.no_answer:
            await self._answer(offer)

    async def _answer(self, offer: dict[str, str]) -> None:
        peer = RTCPeerConnection()
        self._session.peers.append(peer)

        @peer.on("connectionstatechange")
        def changed() -> None:
            if peer.connectionState == "connected":
                self._engine.later(self._become_ready())

        @peer.on("datachannel")
        def opened(channel: Any) -> None:
            channel.on("message", self._data)

        await peer.setRemoteDescription(RTCSessionDescription(**offer))
        for transceiver in peer.getTransceivers():
            track = AvatarPicture(self._voice) if transceiver.kind == "video" else AvatarSound(self._voice)
            transceiver.sender.replaceTrack(track)
            transceiver.direction = "sendonly" if transceiver.kind == "video" else "sendrecv"
        await peer.setLocalDescription(await peer.createAnswer())
        description = peer.localDescription
        sdp = _nowhere(description.sdp) if self._engine.faults.no_path else description.sdp
        await self._send("answer", {"sdp": sdp, "type": description.type})

    def _data(self, message: str) -> None:
        if json.loads(message)["message_type"] == "interrupt":
            self._session.log.append("interrupt")
            self._session.interrupts += 1
            self._voice.clear()
            self._session.interrupted.set()

    async def _become_ready(self) -> None:
        if self._engine.faults.end_before_ready:
            await self._end("No capacity")
            return
        if self._engine.faults.never_ready or self._session.ready_at is not None:
            return
        await asyncio.sleep(self._engine.faults.ready_after)
        await self._say_ready()

    async def _say_ready(self) -> None:
        self._session.ready_at = time.monotonic()
        await self._send("sessionready", {})

    async def _audio(self, payload: dict[str, Any]) -> None:
        session = self._session
        if session.ready_at is None:
            session.too_early += 1
            return  # the engine drops it
        rate = payload["sampleRate"]
        if not 16_000 <= rate <= 48_000:
            session.refused_rate = rate
            await self._end(f"Sample rate {rate} is not supported")
            return
        if self._engine.faults.refuse_sound is not None:
            await self._end(self._engine.faults.refuse_sound)
            return
        data = base64.b64decode(payload["audioData"], validate=True)
        session.pushes.append(
            Push(self._since_ready(), data, rate, payload["channels"], payload["encoding"], payload["sequenceNumber"])
        )
        session.log.append("push")
        self._voice.push(Pcm.from_bytes(data, rate))
        if not session.pushed.is_set():
            session.pushed.set()
            self._engine.later(self._fail())

    async def _fail(self) -> None:
        faults = self._engine.faults
        if faults.end_session_after is not None:
            await asyncio.sleep(faults.end_session_after)
            await self._end("Session ended by server")
        elif faults.close_after is not None:
            await asyncio.sleep(faults.close_after)
            self._session.log.append("drop")
            await self._ws.close(code=1000)
        elif faults.abort_after is not None:
            await asyncio.sleep(faults.abort_after)
            self._session.log.append("drop")
            transport = self._ws._req.transport if self._ws._req is not None else None
            if transport is not None:
                transport.abort()

    async def _end(self, reason: str) -> None:
        self._session.log.append("drop")
        await self._send("endsession", reason)

    async def _send(self, action: str, payload: Any) -> None:
        with contextlib.suppress(ConnectionError):  # the client has gone
            await self._ws.send_str(json.dumps({"actionType": action, "payload": payload}))

    def _since_ready(self) -> float:
        return -1.0 if self._session.ready_at is None else time.monotonic() - self._session.ready_at


def _nowhere(sdp: str) -> str:
    """Return ``sdp`` with the candidates at a port where nothing listens."""
    return re.sub(r"^(a=candidate:\S+ \d+ \S+ \d+ \S+) \d+", r"\1 9", sdp, flags=re.MULTILINE)


@asynccontextmanager
async def engine(faults: Faults | None = None) -> AsyncIterator[Engine]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        emulated = Engine(faults or Faults(), listening.getsockname()[1])
        runner = web.AppRunner(emulated.routes(), shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        try:
            yield emulated
        finally:
            await emulated.stop()
            await runner.cleanup()
