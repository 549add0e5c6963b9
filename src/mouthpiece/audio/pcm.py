"""PCM sound as a value, and the transforms of it.

Every transform has three methods: ``push(pcm) -> list[Pcm]``; ``flush() -> list[Pcm]`` at the natural end of a sound,
which returns the rest; and ``clear()`` at an interrupt, which drops the rest. Transforms can be chained, and give the
same sound however it is cut into pushes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soxr

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Pcm:
    """A block of 16-bit sound."""

    samples: Samples
    """int16; ``(n,)`` for mono, ``(channels, n)`` for more."""
    sample_rate: int
    """Hertz."""

    @property
    def channels(self) -> int:
        return 1 if self.samples.ndim == 1 else int(self.samples.shape[0])

    @property
    def frames(self) -> int:
        """Samples a channel."""
        return int(self.samples.shape[-1])

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.frames / self.sample_rate

    def to_bytes(self) -> bytes:
        """The samples as s16le, interleaved, which is the format of LiveKit's audio streams."""
        return np.ascontiguousarray(self.samples.T, dtype="<i2").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview, sample_rate: int, channels: int = 1) -> Pcm:
        """Make a block from s16le, interleaved.

        :raises ValueError: ``data`` does not hold whole frames.
        """
        if len(data) % (2 * channels):
            raise ValueError(f"{len(data)} bytes are not whole frames of {channels} channel(s) of 16 bits")
        samples = np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False)
        return cls(samples if channels == 1 else samples.reshape(-1, channels).T, sample_rate)

    @classmethod
    def silence(cls, seconds: float, sample_rate: int, channels: int = 1) -> Pcm:
        """A block of zeros."""
        frames = round(seconds * sample_rate)
        return cls(np.zeros(frames if channels == 1 else (channels, frames), dtype=np.int16), sample_rate)


class Transform(Protocol):
    """A transform of a continuous sound."""

    def push(self, pcm: Pcm) -> list[Pcm]:
        """Take a block; return the blocks that are ready."""
        ...

    def flush(self) -> list[Pcm]:
        """End the sound; return its last blocks. The next push begins another sound."""
        ...

    def clear(self) -> None:
        """Drop the sound. The next push begins another one."""
        ...


class Chunker:
    """Cuts sound into blocks of a length; the last one may be shorter."""

    def __init__(self, length: float | Callable[[float], float]) -> None:
        """:param length: seconds of each block, or a function that returns those of the next block, given the seconds
        of all blocks so far."""
        self._length = length
        self._held: list[Samples] = []
        self._frames = 0
        self._given = 0
        self._rate = 0

    @property
    def held(self) -> int:
        """Frames that wait for more."""
        return self._frames

    @property
    def given(self) -> int:
        """Frames that have come out since the beginning of the sound."""
        return self._given

    def push(self, pcm: Pcm) -> list[Pcm]:
        if not pcm.frames:
            return []
        self._rate = pcm.sample_rate
        self._held.append(pcm.samples)
        self._frames += pcm.frames
        if self._frames < self._size():
            return []
        joined = np.concatenate(self._held, axis=-1) if len(self._held) > 1 else self._held[0]
        out: list[Pcm] = []
        start = 0
        while start + (size := self._size()) <= self._frames:
            out.append(Pcm(joined[..., start : start + size], self._rate))
            start += size
            self._given += size
        rest = joined[..., start:]
        self._held, self._frames = ([rest] if rest.shape[-1] else []), rest.shape[-1]
        return out

    def give(self) -> list[Pcm]:
        """What is held, as a block that is shorter. The sound goes on."""
        if not self._held:
            return []
        block = Pcm(np.concatenate(self._held, axis=-1), self._rate)
        self._held, self._frames = [], 0
        self._given += block.frames
        return [block]

    def flush(self) -> list[Pcm]:
        rest = self.give()
        self.clear()
        return rest

    def clear(self) -> None:
        self._held, self._frames = [], 0
        self._given = 0

    def _size(self) -> int:
        """Frames of the next block."""
        length = self._length
        seconds = length(self._given / self._rate) if callable(length) else length
        return max(1, int(seconds * self._rate + 1e-6))


class Resampler:
    """Any sample rate to ``sample_rate`` (hertz), continuously (soxr, HQ): no clicks at the borders of pushes.

    ``n`` frames become exactly ``n * out / in``, rounded half up, once it is flushed. The samples are those of one call
    over the whole sound, however it was cut: it works in float32, because soxr dithers int16 output with noise that
    depends on the cuts. Until the flush it holds back at most 41 ms (from 44.1 to 16 kHz), which is soxr's own delay.
    Sound that has the rate already passes unchanged.

    The first push after a start, a flush or a clear sets the input's rate and channels.

    :raises ValueError: (from ``push``) the rate or the number of channels changed in the middle of a sound.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._stream: soxr.ResampleStream | None = None
        self._source = (0, 0)
        self._taken = 0
        self._given = 0

    def push(self, pcm: Pcm) -> list[Pcm]:
        if not pcm.frames:
            return []
        source = (pcm.sample_rate, pcm.channels)
        if self._taken and source != self._source:
            raise ValueError(f"sound changed from {self._source} to {source} (hertz, channels) in mid-stream")
        self._source = source
        self._taken += pcm.frames
        if pcm.sample_rate == self._rate:
            return [pcm]
        if self._stream is None:
            self._stream = soxr.ResampleStream(pcm.sample_rate, self._rate, pcm.channels, dtype="float32", quality="HQ")
        return self._emit(self._stream.resample_chunk(_interleaved_float(pcm)))

    def flush(self) -> list[Pcm]:
        out: list[Pcm] = []
        if self._stream is not None:
            rate, channels = self._source
            tail = self._stream.resample_chunk(np.zeros(_shape(0, channels), dtype=np.float32), last=True)
            missing = (2 * self._taken * self._rate + rate) // (2 * rate) - self._given - len(tail)
            if missing > 0:  # soxr rounds a half either way
                tail = np.concatenate([tail, np.zeros(_shape(missing, channels), dtype=np.float32)])
            out = self._emit(tail[: len(tail) + min(missing, 0)])
        self.clear()
        return out

    def clear(self) -> None:
        self._stream = None
        self._taken = self._given = 0

    def _emit(self, block: npt.NDArray[np.float32]) -> list[Pcm]:
        if not len(block):
            return []
        self._given += len(block)
        samples = _int16(block)
        return [Pcm(samples if samples.ndim == 1 else samples.T, self._rate)]


class Chain:
    """Several transforms as one, applied in order."""

    def __init__(self, *transforms: Transform) -> None:
        self._transforms = transforms

    def push(self, pcm: Pcm) -> list[Pcm]:
        return self._run([pcm], 0)

    def flush(self) -> list[Pcm]:
        out: list[Pcm] = []
        for index, transform in enumerate(self._transforms):
            out += self._run(transform.flush(), index + 1)
        return out

    def clear(self) -> None:
        for transform in self._transforms:
            transform.clear()

    def _run(self, blocks: list[Pcm], start: int) -> list[Pcm]:
        for transform in self._transforms[start:]:
            blocks = [out for block in blocks for out in transform.push(block)]
        return blocks


def _shape(frames: int, channels: int) -> tuple[int, ...]:
    return (frames,) if channels == 1 else (frames, channels)


def _interleaved_float(pcm: Pcm) -> npt.NDArray[np.float32]:
    """The samples as float32 at the scale of int16, of the shape ``(n,)`` or ``(n, channels)``."""
    samples = pcm.samples.reshape(-1) if pcm.channels == 1 else pcm.samples.T
    return np.ascontiguousarray(samples, dtype=np.float32)


def _int16(block: npt.NDArray[np.float32]) -> Samples:
    """Round and clip: a filter overshoots at full scale."""
    return np.clip(np.rint(block), -32768, 32767).astype(np.int16)
