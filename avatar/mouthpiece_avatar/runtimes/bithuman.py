"""bitHuman's SDK as a runtime: a thin adapter. The SDK is commercial, needs a model and a secret, and is not installed
with the avatar: ``uv sync --inexact --extra bithuman``.

What the adapter evens out (bithuman 2.12, ``VideoFrame``): ``audio_chunk`` may be None, and nothing bounds its backlog.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import numpy as np

from mouthpiece.errors import ConfigurationError, QueueFull
from mouthpiece_avatar.playout import MAX_BACKLOG
from mouthpiece_avatar.runtimes.contract import FPS, AudioChunk, Frame

SAMPLE_RATE = 16_000
"""Hertz that the SDK works at."""


class BithumanRuntime:
    """A :class:`mouthpiece_avatar.runtimes.contract.Runtime`. ``create`` makes one."""

    def __init__(self, sdk: Any) -> None:
        """:param sdk: a ``bithuman.AsyncBithuman``."""
        self._sdk = sdk
        self._backlog = 0.0

    @classmethod
    async def create(
        cls, model_path: str, api_secret: str | None = None, *, module: ModuleType | None = None
    ) -> BithumanRuntime:
        """
        :param model_path: an ``.imx`` file.
        :param api_secret: bitHuman's; without it the environment's ``BITHUMAN_API_SECRET``.
        :param module: in place of the installed ``bithuman``.
        :raises ConfigurationError: the SDK is not installed, or there is no secret.
        """
        secret = api_secret or os.environ.get("BITHUMAN_API_SECRET")
        if not secret:
            raise ConfigurationError("BITHUMAN_API_SECRET is not set: bitHuman's SDK renders nothing without it")
        sdk = module or _installed()
        return cls(await sdk.AsyncBithuman.create(model_path=model_path, api_secret=secret))

    async def push_audio(self, audio: bytes, sample_rate: int, last_chunk: bool = False) -> None:
        if sample_rate <= 0:
            raise ValueError(f"a sample rate is a positive number of hertz, not {sample_rate}")
        seconds = len(audio) / (2 * sample_rate)
        if self._backlog + seconds > MAX_BACKLOG:
            raise QueueFull("half an hour of sound waits already: drain frames, or push along with them")
        self._backlog += seconds
        await self._sdk.push_audio(audio, sample_rate, last_chunk=last_chunk)

    async def flush(self) -> None:
        await self._sdk.flush()

    def interrupt(self) -> None:
        self._backlog = 0.0
        self._sdk.interrupt()

    async def run(self) -> AsyncIterator[Frame]:
        async for frame in self._sdk.run():
            chunk = frame.audio_chunk
            if chunk is None:
                sound = AudioChunk(np.zeros(SAMPLE_RATE // FPS, np.int16), SAMPLE_RATE)
            else:
                sound = AudioChunk(np.asarray(chunk.array, np.int16), chunk.sample_rate)
                self._backlog = max(0.0, self._backlog - sound.duration)
            if frame.end_of_speech:
                self._backlog = 0.0
            yield Frame(frame.bgr_image, sound, frame.end_of_speech)

    async def stop(self) -> None:
        await self._sdk.stop()


def _installed() -> ModuleType:
    try:
        import bithuman
    except ImportError:
        raise ConfigurationError(
            "the runtime bithuman needs bitHuman's SDK: install it with `uv sync --inexact --extra bithuman`"
        ) from None
    module: ModuleType = bithuman
    return module
