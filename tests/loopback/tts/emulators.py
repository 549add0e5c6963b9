"""Services that speak, on this machine: the HTTP and WebSocket APIs of OpenAI and ElevenLabs, with faults as data.

Sources: openai-python 3.52 (``resources/audio/speech.py``), elevenlabs-python 2.78 (``text_to_speech``, ``voices``),
livekit-plugins-elevenlabs 1.8.9 (``multi-stream-input``), and the vendors' pages on errors.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from aiohttp import web

from tests.loopback.http_server import served

SAMPLE_RATE = 24_000
KEY = "right-key"
SECONDS_A_CHARACTER = 0.02
ODD = 4_801
"""Bytes a chunk: it breaks inside a sample."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the next requests."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    after: int = 0
    """Requests that are answered well first."""
    late: float = 0
    """Seconds until the answer begins."""
    silent: bool = False
    """The request is taken and never answered."""
    stall_after: int | None = None
    """Chunks; then nothing more comes, and the connection stays."""
    cut_after: int | None = None
    """Chunks; then the connection is torn down."""
    close_code: int | None = None
    """A WebSocket that is cut is closed with this code."""
    error_message: str | None = None
    """Said over a WebSocket where it would be cut; it stays open."""


def speech(text: str, sample_rate: int = SAMPLE_RATE) -> bytes:
    """A tone, as long as the text."""
    frames = round(len(text) * SECONDS_A_CHARACTER * sample_rate)
    t = np.arange(frames) / sample_rate
    samples: npt.NDArray[np.int16] = np.rint(9_000 * np.sin(2 * np.pi * 330 * t)).astype("<i2")
    return samples.tobytes()


def tasks_since(before: set[asyncio.Task[Any]]) -> set[str]:
    """The coroutines of the tasks that have come, but for the emulators' connections."""
    names = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks() - before}
    return names - {"RequestHandler.start"}


class Emulator:
    """One service on a free port of loopback."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.requests: list[dict[str, Any]] = []
        self.asked = 0
        """Requests with the right key."""
        self._open = 0
        self._ended = asyncio.Event()
        self.url = ""

    def app(self) -> web.Application:
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Emulator]:
        runner = web.AppRunner(self.app(), shutdown_timeout=0.1, handler_cancellation=True)
        async with served(runner) as self.url:
            yield self

    async def quiet(self) -> None:
        """No request is being answered any more. A WebSocket does not count: it stays open between texts."""
        async with asyncio.timeout(5):
            while self._open:
                self._ended.clear()
                await self._ended.wait()

    async def faulty(self, request: web.Request) -> web.StreamResponse | None:
        """The answer of a fault that is a status, or that is none at all."""
        self.asked += 1
        fault = self.fault
        if fault is None or self.asked <= fault.after:
            return None
        await asyncio.sleep(fault.late)
        if fault.silent:
            await asyncio.Event().wait()
        if fault.status != 200:
            return web.json_response(fault.body or {}, status=fault.status, headers=dict(fault.headers))
        return None

    async def stream(self, request: web.Request, data: bytes, content_type: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": content_type})
        response.enable_chunked_encoding()
        self._open += 1
        try:
            await response.prepare(request)
            for number, start in enumerate(range(0, len(data), ODD)):
                if self.fault is not None and number == self.fault.stall_after:
                    await asyncio.Event().wait()
                if self.fault is not None and number == self.fault.cut_after:
                    await asyncio.sleep(0.05)  # what was written has left
                    assert request.transport is not None
                    request.transport.abort()
                    return response
                await response.write(data[start : start + ODD])
            await response.write_eof()
        finally:
            self._open -= 1
            self._ended.set()
        return response


class OpenAI(Emulator):
    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/audio/speech", self.speak)
        return app

    async def speak(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _openai_error(401, "invalid_api_key", f"Incorrect API key: {request.headers['Authorization']}")
        body = await request.json()
        self.requests.append(body)
        if answer := await self.faulty(request):
            return answer
        if body["voice"] == "nobody":
            return _openai_error(400, "invalid_value", "no such voice", "voice")
        if len(body["input"]) > 4_096:
            return _openai_error(400, "string_above_max_length", "too long", "input")
        sound = speech(body["input"])
        if body.get("stream_format") == "sse":
            return await self.stream(request, _events(sound), "text/event-stream")
        return await self.stream(request, sound, "audio/pcm")


def _openai_error(status: int, code: str, message: str, parameter: str | None = None) -> web.Response:
    return web.json_response({"error": {"message": message, "code": code, "param": parameter}}, status=status)


def _events(sound: bytes) -> bytes:
    """https://platform.openai.com/docs/api-reference/audio/speech-audio-delta-event"""
    events = [
        {"type": "speech.audio.delta", "audio": base64.b64encode(sound[start : start + 4_800]).decode()}
        for start in range(0, len(sound), 4_800)
    ]
    events.append({"type": "speech.audio.done"})
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()


class ElevenLabs(Emulator):
    context_key = "context_id"
    """In what the WebSocket answers; livekit-plugins-elevenlabs 1.8.9: it used to be ``contextId``."""
    VOICES = tuple((f"voice{number}", f"Voice {number}", "en" if number % 2 else "de") for number in range(3))

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/text-to-speech/{voice}/stream", self.speak)
        app.router.add_get("/v1/text-to-speech/{voice}/multi-stream-input", self.multi)
        app.router.add_get("/v2/voices", self.voices)
        app.router.add_get("/v1/voices", self.all_voices)
        return app

    def refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("xi-api-key") != KEY:
            return _elevenlabs_error(401, "invalid_api_key")
        return None

    async def speak(self, request: web.Request) -> web.StreamResponse:
        if refused := self.refused(request):
            return refused
        body = await request.json()
        self.requests.append({**body, "voice": request.match_info["voice"], **request.query})
        if answer := await self.faulty(request):
            return answer
        if request.match_info["voice"] == "nobody":
            return _elevenlabs_error(404, "voice_not_found")
        kind, _, rate = request.query["output_format"].partition("_")
        assert kind == "pcm"
        return await self.stream(request, speech(body["text"], int(rate)), "audio/pcm")

    async def multi(self, request: web.Request) -> web.StreamResponse:
        """Contexts over one WebSocket: text in, base64 sound out, ``isFinal`` at each one's end."""
        if refused := self.refused(request):
            return refused
        if answer := await self.faulty(request):
            return answer
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        texts: dict[str, str] = {}
        async for message in socket:
            said = json.loads(message.data)
            context = said["context_id"]
            texts[context] = texts.get(context, "") + said.get("text", "")
            if not said.get("close_context"):
                continue
            text = texts.pop(context).strip()
            self.requests.append({"text": text, "voice": request.match_info["voice"]})
            await self.answer(request, socket, text, {self.context_key: context})
        return socket

    async def answer(
        self, request: web.Request, socket: web.WebSocketResponse, text: str, context: dict[str, str]
    ) -> None:
        sound, fault = speech(text), self.fault or Fault()
        for number, start in enumerate(range(0, len(sound), 4_800)):
            if number == fault.stall_after:
                return
            if number == fault.cut_after:
                await asyncio.sleep(0.05)
                await self.cut(request, socket, fault, context)
                return
            audio = base64.b64encode(sound[start : start + 4_800]).decode()
            await socket.send_json({"audio": audio, **context})
        await socket.send_json({"isFinal": True, **context})

    async def cut(
        self, request: web.Request, socket: web.WebSocketResponse, fault: Fault, context: dict[str, str]
    ) -> None:
        if fault.error_message is not None:
            await socket.send_json({"error": fault.error_message, **context})
        elif fault.close_code is not None:
            await socket.close(code=fault.close_code)
        else:
            assert request.transport is not None
            request.transport.abort()

    async def voices(self, request: web.Request) -> web.StreamResponse:
        """Two pages."""
        if answer := self.refused(request) or await self.faulty(request):
            return answer
        first = "next_page_token" not in request.query
        page = self.VOICES[:2] if first else self.VOICES[2:]
        return web.json_response(
            {
                "voices": [_voice(*voice) for voice in page],
                "has_more": first,
                "total_count": len(self.VOICES),
                "next_page_token": "two" if first else None,
            }
        )

    async def all_voices(self, request: web.Request) -> web.StreamResponse:
        return self.refused(request) or web.json_response({"voices": [_voice(*voice) for voice in self.VOICES]})


def _voice(id: str, name: str, language: str) -> dict[str, Any]:
    return {"voice_id": id, "name": name, "category": "premade", "labels": {"language": language}}


def _elevenlabs_error(status: int, name: str) -> web.Response:
    """https://elevenlabs.io/docs/developers/resources/errors"""
    return web.json_response({"detail": {"status": name, "message": "said: the text"}}, status=status)
