"""OpenAI's service as livekit-plugins-openai calls it: transcriptions, chat completions and speech, over HTTP.

It understands every recording as the same words, answers a greeting that was asked for and a question each with a
sentence of its own, and speaks each sentence in tones of its own (``tones.py``), so that a recording tells them apart.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import soundfile
from aiohttp import web

from tests.live.sender.tones import scale
from tests.loopback.http_server import served

QUESTION: Final = "How late is it now?"
GREETING: Final = "Hello to you."
ANSWER: Final = "It is just about noon."
GREETING_TONES: Final = range(3)
ANSWER_TONES: Final = range(3, 9)
KEY: Final = "emulated-openai-key"


@dataclass
class OpenAIEmulator:
    url: str = ""
    understood: list[float] = field(default_factory=list)
    """Seconds of each recording that came to be transcribed."""
    spoken: list[str] = field(default_factory=list)
    """Each text that came to be spoken."""
    refused: list[str] = field(default_factory=list)
    """Paths of calls without the key."""

    async def transcribe(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        samples, rate = soundfile.read(io.BytesIO(file.file.read()), dtype="int16")
        self.understood.append(len(samples) / rate)
        return web.json_response({"text": QUESTION})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked = body["messages"][-1]
        text = ANSWER if asked["role"] == "user" and QUESTION in json.dumps(asked["content"]) else GREETING
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta, reason in (({"role": "assistant", "content": text}, None), ({}, "stop")):
            await response.write(b"data: " + json.dumps(_chunk(delta, reason)).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response

    async def speak(self, request: web.Request) -> web.Response:
        text = (await request.json())["input"]
        self.spoken.append(text)
        tones = ANSWER_TONES if ANSWER in text else GREETING_TONES
        return web.Response(body=scale(tones.start, len(tones)), content_type="audio/wav")


def _chunk(delta: dict[str, str], reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": "any", "choices": [choice]}


@contextlib.asynccontextmanager
async def openai_emulator() -> AsyncIterator[OpenAIEmulator]:
    """Run an emulator on a free port of loopback; ``url`` is what ``OPENAI_BASE_URL`` takes."""
    emulated = OpenAIEmulator()

    @web.middleware
    async def with_key(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            emulated.refused.append(request.path)
            return web.json_response({"error": {"message": "no such key"}}, status=401)
        response: web.StreamResponse = await handler(request)
        return response

    app = web.Application(middlewares=[with_key], client_max_size=20_000_000)
    app.router.add_post("/v1/audio/transcriptions", emulated.transcribe)
    app.router.add_post("/v1/chat/completions", emulated.complete)
    app.router.add_post("/v1/audio/speech", emulated.speak)
    async with served(web.AppRunner(app, shutdown_timeout=0.1)) as url:
        emulated.url = f"{url}/v1"
        yield emulated
