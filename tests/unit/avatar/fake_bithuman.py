"""A fake of bitHuman's SDK, for tests of the adapter: it draws nothing, and says so in every picture.

Shaped after bithuman 2.12.9 (``AsyncBithuman``, ``VideoFrame``, ``AudioChunk``, ``BithumanError``); none of its code.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

RATE, FPS = 16_000, 25
FRAME = RATE // FPS
FAKE_PICTURE = np.full((16, 16, 3), 0xFA, np.uint8)
"""What this fake shows while it speaks: not a face."""
FAKE_IDLE_PICTURE = np.full((16, 16, 3), 0x05, np.uint8)


@dataclass
class FakeAudioChunk:
    array: np.ndarray
    sample_rate: int = RATE
    last_chunk: bool = True


@dataclass
class FakeVideoControl:
    audio: FakeAudioChunk
    message_id: str


@dataclass
class FakeVideoFrame:
    bgr_image: np.ndarray | None = None
    audio_chunk: FakeAudioChunk | None = None
    frame_index: int | None = None
    source_message_id: str | None = None
    end_of_speech: bool = False


class FakeBithumanError(Exception):
    """Base of the SDK's own errors."""


class FakeTokenError(FakeBithumanError):
    """The secret or the account is refused."""


class FakeModelError(FakeBithumanError):
    """The model cannot be used."""


class FakeAsyncBithuman:
    """Speaks what is pushed, at 16 kHz, 25 frames a second."""

    fps = FPS
    frame_width: int | None = 16
    frame_height: int | None = 16

    def __init__(
        self, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]], *, idle_pictures: bool = False
    ) -> None:
        """:param idle_pictures: show a picture while nothing is said too, as models with an idle loop do."""
        self._clock, self._sleep = clock, sleep
        self._idle_picture = FAKE_IDLE_PICTURE if idle_pictures else None
        self._turns: deque[list[np.ndarray]] = deque()
        self._ended: deque[bool] = deque()
        self._stopped = False
        self._cut = False
        self._messages: list[str] = []
        self.fails_with: Exception | None = None
        """Raised when the next frame is drained."""
        self.released = False
        """Its metered session is closed."""

    async def push_audio(self, data: bytes, sample_rate: int, last_chunk: bool = True) -> None:
        samples = np.frombuffer(data, np.int16)
        at = np.arange(len(samples) * RATE // sample_rate) * sample_rate // RATE
        if not self._turns or self._ended[-1]:
            self._turns.append([])
            self._ended.append(False)
        self._turns[-1].append(samples[at])
        if last_chunk:
            await self.flush()

    async def push(self, control: FakeVideoControl) -> None:
        self._messages.append(control.message_id)
        await self.push_audio(control.audio.array.tobytes(), control.audio.sample_rate, control.audio.last_chunk)

    async def flush(self) -> None:
        if self._ended:
            self._ended[-1] = True

    def interrupt(self) -> None:
        self._cut = self._cut or bool(self._turns)
        self._turns.clear()
        self._ended.clear()

    async def run(self) -> AsyncIterator[FakeVideoFrame]:
        due = self._clock()
        while not self._stopped:
            if self.fails_with is not None:
                raise self.fails_with
            yield self._next()
            due += 1 / FPS
            await self._sleep(max(0.0, due - self._clock()))

    async def stop(self) -> None:
        self._stopped = True

    async def shutdown(self) -> None:
        await self.stop()
        self.released = True

    def _next(self) -> FakeVideoFrame:
        if self._cut:
            self._cut = False
            return FakeVideoFrame(self._idle_picture, end_of_speech=True)
        if not self._turns:
            return FakeVideoFrame(self._idle_picture)
        sound = np.concatenate([*self._turns[0], np.zeros(0, np.int16)])
        last = self._ended[0] and len(sound) <= FRAME
        if len(sound) <= FRAME and not last:
            return FakeVideoFrame(self._idle_picture)
        self._turns[0] = [sound[FRAME:]]
        if last:
            self._turns.popleft()
            self._ended.popleft()
        padded = np.concatenate((sound[:FRAME], np.zeros(FRAME - len(sound[:FRAME]), np.int16)))
        message = self._messages[-1] if self._messages else None
        return FakeVideoFrame(FAKE_PICTURE, FakeAudioChunk(padded), 0, message, end_of_speech=last)


def fake_module(
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    *,
    idle_pictures: bool = False,
    refuses_with: Exception | None = None,
) -> ModuleType:
    """A module to be used in place of ``bithuman``; ``refuses_with`` is what ``create`` raises."""

    class AsyncBithuman(FakeAsyncBithuman):
        @classmethod
        async def create(cls, *, model_path: str, api_secret: str) -> AsyncBithuman:
            assert model_path
            assert api_secret
            if refuses_with is not None:
                raise refuses_with
            return cls(clock, sleep, idle_pictures=idle_pictures)

    module = ModuleType("fake_bithuman")
    module.AsyncBithuman = AsyncBithuman  # type: ignore[attr-defined]
    module.AudioChunk = FakeAudioChunk  # type: ignore[attr-defined]
    module.VideoControl = FakeVideoControl  # type: ignore[attr-defined]
    module.BithumanError = FakeBithumanError  # type: ignore[attr-defined]
    module.TokenError = FakeTokenError  # type: ignore[attr-defined]
    module.ModelError = FakeModelError  # type: ignore[attr-defined]
    return module
