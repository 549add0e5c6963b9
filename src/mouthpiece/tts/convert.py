"""Sound in a provider's format → sound in the output format, continuous over a whole synthesis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from mouthpiece.audio.pcm import Chain, Pcm, Remix, Resampler
from mouthpiece.tts.audio_format import AudioFormat
from mouthpiece.tts.pcm_data import PcmData

SLICE: Final = 1.0
"""Seconds converted at a time: about a third of a millisecond of work, so that a loop stays free."""


class Converter:
    """One synthesis' way to one output format: mends broken frames, then channels, then rate.

    A provider that changes its rate or channels in mid-synthesis starts a new resampler; what the old one held back
    comes out first.
    """

    def __init__(self, sample_rate: int, channels: int, format: AudioFormat) -> None:
        self._sample_rate, self._channels, self._format = sample_rate, channels, format
        self._chain = Chain(Remix(channels), Resampler(sample_rate))
        self._source: tuple[int, int] | None = None
        self._broken = b""
        self._broken_format = format
        self.taken = 0
        """Frames of the source so far."""

    def push(self, chunk: PcmData) -> Iterator[PcmData | None]:
        """The sound that is ready, and None after each ``SLICE`` of work: a place to let others run."""
        source = (chunk.sample_rate, chunk.channels)
        if self._source is not None and source != self._source:
            yield from self.flush()
        self._source = source
        chunk = self._mend(chunk)
        self.taken += chunk.frames
        pcm = Pcm(chunk.pcm.samples.copy(), chunk.sample_rate)  # a provider may use its array again
        size = max(1, round(SLICE * pcm.sample_rate))
        for start in range(0, pcm.frames, size):
            part = Pcm(pcm.samples[..., start : start + size], pcm.sample_rate)
            yield from (PcmData.from_pcm(out, self._format) for out in self._chain.push(part))
            yield None

    def flush(self) -> Iterator[PcmData]:
        """What was held back, at the end of the sound. Bytes that make no frame are dropped."""
        yield from (PcmData.from_pcm(out, self._format) for out in self._chain.flush())
        self._source, self._broken = None, b""

    def clear(self) -> None:
        """Drops what was held back, and the resampler."""
        self._chain.clear()
        self._source, self._broken = None, b""

    def empty(self) -> PcmData:
        """No sound, in the output format."""
        shape = (0,) if self._channels == 1 else (self._channels, 0)
        return PcmData(np.zeros(shape, self._format.dtype), self._sample_rate, self._channels, self._format)

    def _mend(self, chunk: PcmData) -> PcmData:
        """Puts the bytes that were left of the chunk before in front of this one."""
        if self._broken and chunk.format is self._broken_format:
            data = self._broken + chunk.to_bytes() + chunk.remainder
            chunk = PcmData.from_bytes(data, chunk.sample_rate, chunk.channels, chunk.format)
        self._broken, self._broken_format = chunk.remainder, chunk.format
        return chunk


def joined(chunks: list[PcmData]) -> PcmData:
    """Several chunks of one format as one; at least one is needed."""
    first = chunks[0]
    if len(chunks) == 1:
        return first
    samples = np.concatenate([chunk.samples for chunk in chunks], axis=-1)
    return PcmData(samples, first.sample_rate, first.channels, first.format)
