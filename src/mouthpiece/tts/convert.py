"""Conversion of a provider's sound to the output format, continuous over a whole synthesis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from mouthpiece.audio.mix import Remix
from mouthpiece.audio.pcm import Chain, Pcm, Resampler
from mouthpiece.tts.audio_format import AudioFormat
from mouthpiece.tts.pcm_data import PcmData

SLICE: Final = 1.0
"""Seconds of sound converted at a time: a third of a millisecond of work, so that the event loop is not blocked."""


class Converter:
    """Converts the sound of one synthesis: joins frames that were cut between chunks, then converts channels, then
    rate.

    When the provider changes its rate or channels in the middle, a new resampler begins; the old one is flushed first.

    :param sample_rate: hertz of the output.
    :param channels: of the output.
    :param format: of the output.
    """

    def __init__(self, sample_rate: int, channels: int, format: AudioFormat) -> None:
        self._sample_rate, self._channels, self._format = sample_rate, channels, format
        self._chain = Chain(Remix(channels), Resampler(sample_rate))
        self._source: tuple[int, int] | None = None
        self._rest = b""
        """The last bytes of the chunk before that make no whole frame."""
        self._rest_format = format
        self.taken = 0
        """Frames that the provider has given so far."""

    def push(self, chunk: PcmData) -> Iterator[PcmData | None]:
        """Convert ``chunk``; yield the sound that is ready, and None after each ``SLICE`` of it, where the caller may
        let other tasks run."""
        source = (chunk.sample_rate, chunk.channels)
        if self._source is not None and source != self._source:
            yield from self.flush()
        self._source = source
        chunk = self._prepend_rest(chunk)
        self.taken += chunk.frames
        pcm = Pcm(chunk.pcm.samples.copy(), chunk.sample_rate)  # a provider may reuse its array
        size = max(1, round(SLICE * pcm.sample_rate))
        for start in range(0, pcm.frames, size):
            part = Pcm(pcm.samples[..., start : start + size], pcm.sample_rate)
            yield from (PcmData.from_pcm(out, self._format) for out in self._chain.push(part))
            yield None

    def flush(self) -> Iterator[PcmData]:
        """End the sound; yield its rest. Bytes that make no whole frame are dropped."""
        yield from (PcmData.from_pcm(out, self._format) for out in self._chain.flush())
        self._source, self._rest = None, b""

    def clear(self) -> None:
        """Drop the rest, and the resampler."""
        self._chain.clear()
        self._source, self._rest = None, b""

    def empty(self) -> PcmData:
        """A block of 0 frames in the output format."""
        shape = (0,) if self._channels == 1 else (self._channels, 0)
        return PcmData(np.zeros(shape, self._format.dtype), self._sample_rate, self._channels, self._format)

    def _prepend_rest(self, chunk: PcmData) -> PcmData:
        if self._rest and chunk.format is self._rest_format:
            data = self._rest + chunk.to_bytes() + chunk.remainder
            chunk = PcmData.from_bytes(data, chunk.sample_rate, chunk.channels, chunk.format)
        self._rest, self._rest_format = chunk.remainder, chunk.format
        return chunk


def joined(chunks: list[PcmData]) -> PcmData:
    """Concatenate ``chunks``, of one format and at least one."""
    first = chunks[0]
    if len(chunks) == 1:
        return first
    samples = np.concatenate([chunk.samples for chunk in chunks], axis=-1)
    return PcmData(samples, first.sample_rate, first.channels, first.format)
