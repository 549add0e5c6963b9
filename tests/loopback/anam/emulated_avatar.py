"""Picture and sound of the emulated engine's avatar: a box that moves over a ground, which is white while it speaks."""

from __future__ import annotations

import asyncio
import fractions
import time
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

from mouthpiece.audio.pcm import Pcm, Resampler

WIDTH, HEIGHT, FRAMES_A_SECOND = 320, 240, 25
OUT_RATE = 48_000
BLOCK = OUT_RATE // 50
GROUND = (200, 60, 20)
BOX = (0, 220, 255)
"""Blue and yellow, as BGR."""
LATENCY = 0.2
"""Seconds from the first push of a turn to the avatar's first sound."""


class Voice:
    """The avatar's sound, 48 kHz mono, on the clock that picture and sound share."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._samples = np.zeros(0, np.int16)
        self._start = 0
        """The time on the clock, in samples, at which the first sample plays."""
        self._resampler: Resampler | None = None

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    def push(self, pcm: Pcm) -> None:
        if self._resampler is None:
            self._resampler = Resampler(OUT_RATE)
            self._samples, self._start = np.zeros(0, np.int16), round((self.now + LATENCY) * OUT_RATE)
        self._add(self._resampler.push(pcm))

    def end(self) -> None:
        if self._resampler is not None:
            self._add(self._resampler.flush())
            self._resampler = None

    def clear(self) -> None:
        self._samples = np.zeros(0, np.int16)
        self._resampler = None

    def block(self, at: int, count: int) -> np.ndarray[Any, np.dtype[np.int16]]:
        """Return ``count`` samples from ``at`` on, a time on the clock in samples; zeros where there is no sound."""
        out = np.zeros(count, np.int16)
        begin, end = max(at, self._start), min(at + count, self._start + len(self._samples))
        if begin < end:
            out[begin - at : end - at] = self._samples[begin - self._start : end - self._start]
        return out

    def _add(self, blocks: list[Pcm]) -> None:
        self._samples = np.concatenate([self._samples, *(block.samples for block in blocks)])


class AvatarSound(MediaStreamTrack):
    kind = "audio"

    def __init__(self, voice: Voice) -> None:
        super().__init__()
        self._voice = voice
        self._at = round(voice.now * 50) * BLOCK

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        await asyncio.sleep(max(0.0, self._at / OUT_RATE - self._voice.now))
        mono = self._voice.block(self._at, BLOCK)
        frame = AudioFrame.from_ndarray(np.repeat(mono, 2).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = OUT_RATE, self._at, fractions.Fraction(1, OUT_RATE)
        self._at += BLOCK
        return frame


class AvatarPicture(MediaStreamTrack):
    kind = "video"

    def __init__(self, voice: Voice) -> None:
        super().__init__()
        self._voice = voice
        self._number = round(voice.now * FRAMES_A_SECOND)

    async def recv(self) -> VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        at = self._number / FRAMES_A_SECOND
        await asyncio.sleep(max(0.0, at - self._voice.now))
        said = self._voice.block(round(at * OUT_RATE), OUT_RATE // FRAMES_A_SECOND)
        picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        picture[:] = (255, 255, 255) if np.abs(said.astype(np.int32)).max(initial=0) > 300 else GROUND
        left = self._number * 4 % (WIDTH - 60)
        picture[90:150, left : left + 60] = BOX
        frame = VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts, frame.time_base = round(at * 90_000), fractions.Fraction(1, 90_000)
        self._number += 1
        return frame
