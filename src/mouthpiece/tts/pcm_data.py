"""``PcmData``, the sound that a TTS yields and its events carry."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mouthpiece.audio.pcm import Pcm
from mouthpiece.tts.audio_format import FULL_SCALE, AudioFormat


@dataclass(frozen=True, slots=True, eq=False)
class PcmData:
    """A block of sound with its rate, channels and format.

    :raises ValueError: the samples do not match the channels or the format, or the rate is not positive.
    """

    samples: npt.NDArray[Any]
    """int16 (``S16``) or float32 (``F32``); ``(n,)`` for mono, ``(channels, n)`` for more."""
    sample_rate: int
    """Hertz."""
    channels: int = 1
    format: AudioFormat = AudioFormat.S16
    remainder: bytes = b""
    """The bytes that ``from_bytes`` received beyond whole frames. Network chunks of a service break anywhere; the base
    class puts these bytes in front of the next chunk."""

    def __post_init__(self) -> None:
        if self.sample_rate <= 0:
            raise ValueError(f"the sample rate must be positive, not {self.sample_rate}")
        object.__setattr__(self, "format", AudioFormat(self.format))
        given = np.asarray(self.samples)
        if self.format is not AudioFormat.F32 and given.dtype != np.int16 and given.size:
            _check_fits(given)
        samples = given.astype(self.format.dtype, copy=False)
        if samples.ndim == 2 and samples.shape[0] == 1:
            samples = samples[0]
        if samples.ndim not in (1, 2) or (1 if samples.ndim == 1 else samples.shape[0]) != self.channels:
            raise ValueError(
                f"{self.channels} channel(s) need samples of the shape (n,) or (channels, n), not {samples.shape}"
            )
        object.__setattr__(self, "samples", samples)

    def __repr__(self) -> str:
        return f"PcmData({self.duration:.3f} s, {self.sample_rate} Hz, {self.channels} ch, {self.format.value})"

    @property
    def frames(self) -> int:
        """Samples per channel."""
        return int(self.samples.shape[-1])

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.frames / self.sample_rate

    @property
    def duration_ms(self) -> float:
        """Milliseconds."""
        return self.duration * 1000

    @classmethod
    def from_bytes(
        cls,
        data: bytes | bytearray | memoryview,
        sample_rate: int = 16_000,
        channels: int = 1,
        format: AudioFormat = AudioFormat.S16,
    ) -> PcmData:
        """Make a block from little-endian, interleaved bytes. Bytes beyond whole frames go to ``remainder``."""
        format = AudioFormat(format)
        view = memoryview(data).cast("B")
        whole = len(view) - len(view) % (format.width * channels)
        samples = np.frombuffer(view[:whole], dtype=format.wire_dtype).astype(format.dtype)
        return cls(
            samples if channels == 1 else samples.reshape(-1, channels).T,
            sample_rate,
            channels,
            format,
            bytes(view[whole:]),
        )

    @classmethod
    def from_response(
        cls,
        response: bytes | bytearray | memoryview | Iterable[bytes] | AsyncIterable[bytes],
        sample_rate: int = 16_000,
        channels: int = 1,
        format: AudioFormat = AudioFormat.S16,
    ) -> PcmData | Iterator[PcmData] | AsyncIterator[PcmData]:
        """Convert an SDK's response: bytes to a ``PcmData``, an iterator or async iterator of bytes to one of
        ``PcmData``. ``stream_audio`` may return any of these."""
        if isinstance(response, bytes | bytearray | memoryview):
            return cls.from_bytes(response, sample_rate, channels, format)
        if isinstance(response, AsyncIterable):
            return _each(response, sample_rate, channels, format)
        return (cls.from_bytes(block, sample_rate, channels, format) for block in response)

    def to_bytes(self) -> bytes:
        """The samples as little-endian, interleaved bytes, without ``remainder``."""
        return np.ascontiguousarray(self.samples.T, dtype=self.format.wire_dtype).tobytes()

    @classmethod
    def from_pcm(cls, pcm: Pcm, format: AudioFormat = AudioFormat.S16) -> PcmData:
        """Make a block from ``pcm``."""
        samples: npt.NDArray[Any] = pcm.samples
        if format is AudioFormat.F32:
            samples = samples.astype(np.float32) / np.float32(FULL_SCALE)
        return cls(samples, pcm.sample_rate, pcm.channels, format)

    @property
    def pcm(self) -> Pcm:
        """The same sound as int16, for the transforms of ``mouthpiece.audio.pcm``. NaN becomes silence."""
        samples = self.samples
        if self.format is AudioFormat.F32:
            scaled = np.nan_to_num(samples, nan=0.0) * np.float32(FULL_SCALE)
            samples = np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
        return Pcm(samples, self.sample_rate)


def _check_fits(samples: npt.NDArray[Any]) -> None:
    """Check samples of another dtype that are declared as int16.

    :raises ValueError: as int16 they would be silent, or wrap round.
    """
    peak = float(np.nanmax(np.abs(samples.astype(np.float64))))
    if samples.dtype.kind == "f" and 0 < peak <= 1:
        raise ValueError("samples from -1 to 1 need format=AudioFormat.F32")
    if peak > FULL_SCALE:
        raise ValueError(f"samples up to {peak:g} do not fit into 16 bit")


async def _each(
    response: AsyncIterable[bytes], sample_rate: int, channels: int, format: AudioFormat
) -> AsyncIterator[PcmData]:
    stream = aiter(response)
    try:
        async for block in stream:
            yield PcmData.from_bytes(block, sample_rate, channels, format)
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
