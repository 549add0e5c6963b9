"""Readers of sound files: libsndfile, and PyAV for the formats that libsndfile cannot read."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from mouthpiece.audio.formats import check_boxes, check_wav, mp3_states_length, recognise, truncated
from mouthpiece.audio.limits import check_shape
from mouthpiece.audio.pcm import Samples
from mouthpiece.errors import AudioError, DamagedAudio, NotAudio, UnsupportedFormat
from mouthpiece.extras import needs


class Reader(Protocol):
    """An open sound file."""

    rate: int
    """Hertz."""
    channels: int
    frames: int
    """The length of the whole file."""

    def seek(self, frame: int) -> None:
        """Read from ``frame`` on."""
        ...

    def read(self, count: int) -> Samples:
        """The next ``count`` frames, fewer at the end: int16, of the shape ``(frames, channels)``, or ``(frames,)``
        for mono.

        :raises DamagedAudio: it cannot be decoded any further.
        """
        ...

    def close(self) -> None: ...


class _Straight(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read without seeks. python-soundfile seeks after every read of a seekable file, to the position
    where it is already. In an MP3 that leaves a hole of up to 0.2 s at each border of reads, since the decoder drops
    the bits that it had kept for the following frames."""

    def seekable(self) -> bool:
        return False


class SndfileReader:
    """Reads the formats that libsndfile knows.

    :param kind: the format's name, as ``recognise`` returns it.
    :param length_at: the offset of a WAV's 4 length bytes, if they are 0 and mean "to the end of the file".
    :raises NotAudio: libsndfile cannot read it.
    """

    def __init__(self, path: Path, kind: str, *, length_at: int | None = None) -> None:
        self._mended = None if length_at is None else _MendedWav(path, length_at)
        try:
            self._file = _Straight(path if self._mended is None else self._mended)
        except soundfile.LibsndfileError as error:
            raise NotAudio(f"This is no {kind} file that can be read: {error.error_string}") from None
        self.rate, self.channels, self.frames = self._file.samplerate, self._file.channels, self._file.frames
        # When read as int16, libsndfile does not scale float samples (float WAV), and lossy formats wrap around above
        # full scale: both are read as floats and clipped here.
        self._integral = self._file.subtype.startswith(("PCM_", "ULAW", "ALAW"))
        # An MP3 frame needs bits of earlier frames, which a seek does not fetch: a second is decoded and dropped.
        self._warm_up = self.rate if kind == "MP3" else 0

    def seek(self, frame: int) -> None:
        frame = min(frame, self.frames)
        start = max(0, frame - self._warm_up)
        self._file.seek(start)
        if frame > start:
            self.read(frame - start)

    def read(self, count: int) -> Samples:
        try:
            if self._integral:
                return self._file.read(count, dtype="int16")  # type: ignore[no-any-return]
            return _to_int16(self._file.read(count, dtype="float32"))
        except soundfile.LibsndfileError as error:
            raise DamagedAudio(f"The sound is damaged: {error.error_string}") from None

    def close(self) -> None:
        self._file.close()
        if self._mended is not None:
            self._mended.close()


class _MendedWav(io.FileIO):
    """A WAV that was written to a pipe, with a length of 0 because it was not known yet: read as if it had the length
    that means "to the end of the file"."""

    def __init__(self, path: Path, length_at: int) -> None:
        super().__init__(path)
        self._at = length_at
        self._length = b"\xff\xff\xff\xff"  # libsndfile reads to the end of the file then

    def readinto(self, buffer: Any) -> int:
        start = self.tell()
        count = super().readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        for at in range(max(start, self._at), min(start + count, self._at + 4)):
            view[at - start] = self._length[at - self._at]
        return count


class AvReader:
    """Reads the formats that libsndfile does not know, through PyAV.

    :param kind: the format's name, as ``recognise`` returns it.
    :param demuxer: FFmpeg's name of the demuxer.
    :raises UnsupportedFormat: PyAV is not installed.
    :raises NotAudio: FFmpeg cannot read it.
    """

    def __init__(self, path: Path, kind: str, demuxer: str) -> None:
        try:
            import av  # costs 40 ms and 15 MB, so only when a file needs it
        except ImportError:
            raise UnsupportedFormat(needs(f"Reading {kind}", "sender")) from None
        self._av, self._kind, self._demuxer = av, kind, demuxer
        self._container: Any = None
        self._file = path.open("rb")
        try:
            self._start()
            codec = self._stream.codec_context
            self.rate, self.channels = codec.sample_rate, codec.channels
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
            # A seek lands on a packet, and codecs need the packets before it: a second is decoded and dropped. Plain
            # AAC and MP3 have no index, and are decoded from the start.
            target = max(0, int((frame / self.rate - 1) / self._stream.time_base))
        if target:
            self._container.seek(target, stream=self._stream)
        self._decoded = self._decode(frame if target else 0)
        self._held, self._frame = self._held[:0], frame if target else 0
        while self._frame < frame and len(self.read(min(65_536, frame - self._frame))):
            pass

    def read(self, count: int) -> Samples:
        count = min(count, self.frames - self._frame)
        while len(self._held) < count and (more := next(self._decoded, None)) is not None:
            self._held = np.concatenate([self._held, more])
        block, self._held = self._held[:count], self._held[count:]
        self._frame += len(block)
        return block

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
        self._file.close()

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
        """The length in frames, by the packets: WebM from a browser and AAC do not state theirs.

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
        there = float(end * stream.time_base) - self._origin()
        if promised is None:
            return int(there * self.rate + 0.5)
        length = float(promised * stream.time_base)
        if there < length - 0.1:
            raise truncated(self._kind, length, there)
        return int(length * self.rate + 0.5)

    def _origin(self) -> float:
        """The time stamp of frame 0, in seconds: WebM counts the padding that an encoder put before the sound."""
        start = self._stream.start_time
        return 0.0 if start is None else float(start * self._stream.time_base)

    def _decode(self, first: int) -> Iterator[Samples]:
        """Blocks from frame ``first`` on; from 0, everything, without a look at time stamps."""
        resampler = self._av.AudioResampler(format="s16", layout=self._stream.codec_context.layout, rate=self.rate)
        skip = 0
        try:
            for index, frame in enumerate(self._container.decode(self._stream)):
                if index == 0 and first and frame.time is not None:
                    skip = max(0, first - round((frame.time - self._origin()) * self.rate))
                for block in resampler.resample(frame):
                    samples: Samples = block.to_ndarray().astype(np.int16, copy=False).reshape(-1, self.channels)
                    yield samples[skip:]
                    skip = max(0, skip - len(samples))
        except self._av.FFmpegError:
            raise DamagedAudio(f"The {self._kind} file is damaged.") from None


def _to_int16(samples: npt.NDArray[np.float32]) -> Samples:
    """Scale float samples, of which full scale is 1.0, to int16; louder ones are clipped."""
    scaled = np.clip(np.rint(samples * np.float32(32_768)), -32_768, 32_767)
    clipped: Samples = scaled.astype(np.int16)
    return clipped


def open_sound(path: Path) -> tuple[Reader, str]:
    """Open the file at ``path``; return its reader and the name of its format, which its first bytes decide.

    :raises AudioError: it is not a sound that can be read.
    """
    with path.open("rb") as file:
        head = file.read(4096)
        kind, demuxer = recognise(head)
        size = os.fstat(file.fileno()).st_size
        length_at = check_wav(file, size) if kind == "WAV" else None
        if kind == "M4A":
            check_boxes(file, size)
        if kind == "MP3" and not mp3_states_length(head, file):
            # libsndfile 1.2.2 computes the length from the first frame's bit rate, and reads no further than that.
            demuxer = "mp3"
    reader: Reader = AvReader(path, kind, demuxer) if demuxer else SndfileReader(path, kind, length_at=length_at)
    try:
        check_shape(reader.rate, reader.channels, reader.frames)
    except AudioError:
        reader.close()
        raise
    return reader, kind


def probe(path: Path) -> dict[str, Any]:
    """The sample rate (hertz), channels, frames and format of the file at ``path``, as ``rate``, ``channels``,
    ``frames`` and ``format``.

    :raises AudioError: it is not a sound that can be played to its end.
    """
    reader, kind = open_sound(path)
    try:
        if kind in ("FLAC", "MP3") and isinstance(reader, SndfileReader):
            # The length is from their header; reading the last frame shows whether the end is there.
            try:
                reader.seek(reader.frames - 1)
                there = len(reader.read(1))
            except (DamagedAudio, soundfile.LibsndfileError):
                there = 0
            if not there:
                raise truncated(kind, reader.frames / reader.rate, None)
        return {"rate": reader.rate, "channels": reader.channels, "frames": reader.frames, "format": kind}
    finally:
        reader.close()
