"""What reads a sound file: libsndfile, and PyAV for what libsndfile cannot read."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from mouthpiece.audio.formats import check_boxes, check_wav, mp3_tells_its_length, recognise, truncated
from mouthpiece.errors import AudioError, DamagedAudio, NotAudio, UnsupportedFormat
from mouthpiece.extras import needs

MIN_RATE, MAX_RATE, MAX_CHANNELS = 4_000, 192_000, 8

Samples = npt.NDArray[np.int16]


class Reader(Protocol):
    """An open sound: int16 of shape ``(frames, channels)``, or ``(frames,)``, read from wherever it was sought to."""

    rate: int
    channels: int
    frames: int

    def seek(self, frame: int) -> None: ...
    def read(self, count: int) -> Samples: ...
    def close(self) -> None: ...


class _Straight(soundfile.SoundFile):  # type: ignore[misc]
    """python-soundfile seeks after every read of a file that is seekable, to where it is already: in an MP3 that is a
    hole of up to 0.2 s at each border of reads, since what was kept for the frames to come is thrown away."""

    def seekable(self) -> bool:
        return False


class SndfileReader:
    """What libsndfile reads."""

    def __init__(self, path: Path, kind: str, *, length_at: int | None = None) -> None:
        """:param length_at: where the 4 bytes of a WAV's length stand, if they say 0 and mean all there is."""
        self._mended = None if length_at is None else _MendedWav(path, length_at)
        try:
            self._file = _Straight(path if self._mended is None else self._mended)
        except soundfile.LibsndfileError as error:
            raise NotAudio(f"This is no {kind} file that can be read: {error.error_string}") from None
        self.rate, self.channels, self.frames = self._file.samplerate, self._file.channels, self._file.frames
        # What is kept as floats is not scaled by libsndfile when read as int16 (float WAV), or wraps around where it
        # is over full scale (lossy formats): it is read as floats and clipped here.
        self._integral = self._file.subtype.startswith(("PCM_", "ULAW", "ALAW"))
        # A frame of MP3 needs bits of those before it, which a seek does not fetch: a second is decoded and dropped.
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
            return to_int16(self._file.read(count, dtype="float32"))
        except soundfile.LibsndfileError as error:
            raise DamagedAudio(f"The sound is damaged: {error.error_string}") from None

    def close(self) -> None:
        self._file.close()
        if self._mended is not None:
            self._mended.close()


class _MendedWav(io.FileIO):
    """A WAV that was written to a pipe, by somebody who put 0 for the length that was not known yet."""

    def __init__(self, path: Path, length_at: int) -> None:
        super().__init__(path)
        self._at = length_at
        self._length = b"\xff\xff\xff\xff"  # what others put there: libsndfile takes it for all there is

    def readinto(self, buffer: Any) -> int:
        start = self.tell()
        count = super().readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        for at in range(max(start, self._at), min(start + count, self._at + 4)):
            view[at - start] = self._length[at - self._at]
        return count


class AvReader:
    """What libsndfile cannot read, through PyAV."""

    def __init__(self, path: Path, kind: str, demuxer: str) -> None:
        try:
            import av  # 40 ms and 15 MB, for those who need it
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
        self._start()  # afresh: after a seek to 0 FFmpeg no longer cuts off what an encoder put before the sound
        target = 0
        if self._demuxer in ("mov", "matroska") and self._stream.time_base is not None:
            # A seek lands on a packet, and codecs need what was before it: a second is decoded and dropped. AAC and
            # MP3 on their own have no index: there it is decoded from the start.
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
            # An open file and no path: FFmpeg can then reach this file only, whatever the container names in it.
            self._container = self._av.open(self._file, "r", format=self._demuxer)
            self._stream = self._container.streams.audio[0]
        except (self._av.FFmpegError, IndexError):
            raise NotAudio(f"This is no {self._kind} file with sound in it that can be read.") from None

    def _count(self) -> int:
        """Frames, by the packets that are there: WebM from a browser and AAC carry no length of their own."""
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
        """The time, in seconds, that the file gives to frame 0: WebM counts what an encoder put before the sound."""
        start = self._stream.start_time
        return 0.0 if start is None else float(start * self._stream.time_base)

    def _decode(self, first: int) -> Iterator[Samples]:
        """What is there from frame ``first`` on; from 0, all that comes, whatever its time says."""
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


def to_int16(samples: npt.NDArray[np.float32]) -> Samples:
    """Full scale is 1.0; what is beyond it is clipped."""
    scaled = np.clip(np.rint(samples * np.float32(32_768)), -32_768, 32_767)
    clipped: Samples = scaled.astype(np.int16)
    return clipped


def open_sound(path: Path) -> tuple[Reader, str]:
    """The reader for what the file begins with, and the format's name.

    :raises AudioError: it is not a sound that can be read.
    """
    with path.open("rb") as file:
        head = file.read(4096)
        kind, demuxer = recognise(head)
        size = os.fstat(file.fileno()).st_size
        length_at = check_wav(file, size) if kind == "WAV" else None
        if kind == "M4A":
            check_boxes(file, size)
        if kind == "MP3" and not mp3_tells_its_length(head, file):
            # libsndfile 1.2.2 takes the first frame's bit rate for all and reads no further than that tells.
            demuxer = "mp3"
    reader: Reader = AvReader(path, kind, demuxer) if demuxer else SndfileReader(path, kind, length_at=length_at)
    try:
        _check_shape(reader)
    except AudioError:
        reader.close()
        raise
    return reader, kind


def _check_shape(reader: Reader) -> None:
    if not MIN_RATE <= reader.rate <= MAX_RATE:
        raise UnsupportedFormat(f"A sample rate of {reader.rate} Hz is not supported: {MIN_RATE} to {MAX_RATE} are.")
    if not 1 <= reader.channels <= MAX_CHANNELS:
        raise UnsupportedFormat(f"{reader.channels} channels are not supported: 1 to {MAX_CHANNELS} are.")
    if reader.frames <= 0:
        raise NotAudio("There is no sound in it: it is 0 s long.")


def probe(path: Path) -> dict[str, Any]:
    """:raises AudioError: it is not a sound that can be played to its end."""
    reader, kind = open_sound(path)
    try:
        if kind in ("FLAC", "MP3") and isinstance(reader, SndfileReader):
            # Their header tells the length; that the end is there is seen by reading it.
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
