"""Reads sound files through PyAV: the formats that libsndfile does not know, and files whose length must be counted."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from mouthpiece.audio.mix import weights
from mouthpiece.audio.pcm import Samples
from mouthpiece.errors import DamagedAudio, NotAudio, TruncatedAudio, UnsupportedFormat
from mouthpiece.extras import needs

HOLE: Final = 0.03
"""Seconds between the end of a packet's sound and the time stamp of the next one that are a hole. Less is rounding:
WebM counts milliseconds."""
_OPUS_UNIT: Final = 120
"""Frames at 48 kHz: an Opus packet lasts a multiple of 2.5 ms (RFC 6716, 2.1.4)."""
_PIECE: Final = 48_000
"""Frames of silence that are put into a hole at a time."""
_NAMES: Final = {
    "FL": 0,
    "FR": 1,
    "FC": 2,
    "LFE": 3,
    "BL": 4,
    "BR": 5,
    "FLC": 6,
    "FRC": 7,
    "BC": 8,
    "SL": 9,
    "SR": 10,
    "TC": 11,
    "TFL": 12,
    "TFC": 13,
    "TFR": 14,
    "TBL": 15,
    "TBC": 16,
    "TBR": 17,
}
"""FFmpeg's names of the channels' places, as bits of a channel mask."""


class AvReader:
    """A :class:`~mouthpiece.audio.readers.Reader`. Holes in the time stamps are silence.

    :param file: read from its start, and left open.
    :param kind: the format's name, as ``recognise`` returns it.
    :param demuxer: FFmpeg's name of the demuxer: its own guess may be a playlist, which would open other files.
    :raises UnsupportedFormat: PyAV is not installed.
    :raises NotAudio: FFmpeg cannot read it.
    :raises TruncatedAudio: it states more sound than it has.
    """

    def __init__(self, file: io.RawIOBase | io.BytesIO, kind: str, demuxer: str) -> None:
        try:
            import av  # costs 40 ms and 15 MB
        except ImportError:
            raise UnsupportedFormat(needs(f"Reading {kind}", "sender")) from None
        self._av, self._kind, self._demuxer, self._file = av, kind, demuxer, file
        self._container: Any = None
        try:
            self._start()
            codec = self._stream.codec_context
            if codec is None:  # FFmpeg has no decoder for it
                raise NotAudio(f"This is no {self._kind} file with sound in it that can be read.")
            self.rate, self.channels = codec.sample_rate, codec.channels
            if not self.rate or not self.channels:
                raise NotAudio(f"This is no {self._kind} file with sound in it that can be read.")
            self.weights = _weights(codec.layout)
            self._origin = self._find_origin()
            self.frames = self._count()
            self._held: Samples = np.zeros((0, self.channels), dtype=np.int16)
            self.seek(0)
        except Exception:
            self.close()
            raise

    def seek(self, frame: int) -> None:
        self._start()  # reopen: after a seek to 0 FFmpeg no longer cuts off the padding that encoders put first
        target = 0
        if self._demuxer in ("mov", "matroska") and self._stream.time_base is not None:
            # A seek lands on a packet, and codecs need the packets before it: a second is decoded and dropped. Others
            # have no index, and are decoded from the start.
            target = max(0, int((frame / self.rate - 1) / self._stream.time_base))
        if target:
            self._container.seek(target, stream=self._stream)
        self._decoded = self._decode(frame if target else 0)
        self._held, self._frame = self._held[:0], frame if target else 0
        while self._frame < frame and len(self.read(min(65_536, frame - self._frame))):
            pass

    def read(self, count: int) -> Samples:
        count = min(count, self.frames - self._frame)
        while len(self._held) < count:
            more = next(self._decoded, None)
            if more is None:  # what the packets stated and did not give
                more = np.zeros((count - len(self._held), self.channels), dtype=np.int16)
            self._held = np.concatenate([self._held, more])
        block, self._held = self._held[:count], self._held[count:]
        self._frame += len(block)
        return block

    def close(self) -> None:
        if self._container is not None:
            self._container.close()

    def _start(self) -> None:
        if self._container is not None:
            self._container.close()
        self._file.seek(0)
        try:
            # An open file instead of a path: FFmpeg can reach no other file, also if the container names one.
            self._container = self._av.open(self._file, "r", format=self._demuxer)
            self._stream = self._container.streams.audio[0]
        except (self._av.FFmpegError, IndexError):
            raise NotAudio(f"This is no {self._kind} file with sound in it that can be read.") from None

    def _count(self) -> int:
        """The length in frames, by the packets.

        :raises TruncatedAudio: an M4A states more than it has.
        """
        stream, end = self._stream, 0
        promised = stream.duration if self._demuxer == "mov" else None
        try:
            for packet in self._container.demux(stream):
                if packet.pts is not None:
                    end = max(end, packet.pts + (packet.duration or 0))
        except self._av.FFmpegError:
            raise DamagedAudio(f"The {self._kind} file is damaged.") from None
        there = float(end * stream.time_base) - self._origin
        if promised is None:
            return int(there * self.rate + 0.5)
        length = float(promised * stream.time_base)
        if there < length - 0.1:
            raise TruncatedAudio(
                f"The {self._kind} file is cut off: it promises {length:.2f} s of sound, {there:.2f} s are there. "
                "Send the whole file."
            )
        return int(length * self.rate + 0.5)

    def _find_origin(self) -> float:
        """The time stamp of frame 0, in seconds: WebM counts the padding that an encoder put before the sound, and what
        FFmpeg says of its start may be the second packet's."""
        start = self._stream.start_time
        found = 0.0 if start is None else float(start * self._stream.time_base)
        if self._demuxer == "matroska":
            first = next(self._frames(), None)
            found = found if first is None or first.time is None else first.time
            self._start()
        return found

    def _place(self, time: float) -> int:
        """The frame at the time stamp ``time``, in seconds. WebM counts milliseconds; in Opus the frames at which a
        packet can begin are farther apart than that leaves open, so a place is the same however it was reached."""
        place: float = (time - self._origin) * self.rate
        codec = self._stream.codec_context
        if self._demuxer != "matroska" or codec.name not in ("opus", "libopus") or len(codec.extradata or b"") < 12:
            return round(place)
        first = -int.from_bytes(codec.extradata[10:12], "little") % _OPUS_UNIT  # pre-skip (RFC 7845, 5.1)
        return round((place - first) / _OPUS_UNIT) * _OPUS_UNIT + first

    def _decode(self, first: int) -> Iterator[Samples]:
        """Blocks from frame ``first`` on, with silence where no packet is."""
        layout = self._stream.codec_context.layout
        resampler = self._av.AudioResampler(format="s16", layout=layout, rate=self.rate)
        at = -1  # the frame that comes next
        try:
            for frame in itertools.islice(self._frames(), 1 if first else 0, None):  # after a seek the first is cut
                begins = None if frame.time is None else self._place(frame.time)
                if at < 0:
                    at = begins if first and begins is not None else 0
                hole = 0 if begins is None else min(begins, self.frames) - at
                if hole > HOLE * self.rate:
                    for start in range(max(at, first), at + hole, _PIECE):
                        yield np.zeros((min(_PIECE, at + hole - start), self.channels), dtype=np.int16)
                    at += hole
                for block in resampler.resample(frame):
                    samples: Samples = block.to_ndarray().astype(np.int16, copy=False).reshape(-1, self.channels)
                    yield samples[max(0, first - at) :]
                    at += len(samples)
        except self._av.FFmpegError:
            raise DamagedAudio(f"The {self._kind} file is damaged.") from None

    def _frames(self) -> Iterator[Any]:
        """The decoded frames. A packet that cannot be decoded is left out, as players do: a tag between two frames. A
        frame of another rate or layout is, too.

        :raises DamagedAudio: most packets cannot be decoded.
        """
        good = bad = 0
        shape: tuple[int, Any] | None = None
        for packet in self._container.demux(self._stream):
            try:
                frames = packet.decode()
            except self._av.InvalidDataError:
                bad += 1
                if bad > 20 and bad > good:
                    raise DamagedAudio(f"The {self._kind} file is damaged.") from None
                continue
            good += 1
            for frame in frames:
                shape = shape or (frame.sample_rate, frame.layout)
                if (frame.sample_rate, frame.layout) == shape:
                    yield frame


def _weights(layout: Any) -> tuple[float, ...]:
    """The weights of the channels of FFmpeg's ``layout``, in its order."""
    places = [_NAMES.get(channel.name) for channel in layout.channels]
    if None in places or sorted(places, key=lambda place: place or 0) != places:
        return weights(len(places))
    return weights(len(places), sum(1 << place for place in places if place is not None))
