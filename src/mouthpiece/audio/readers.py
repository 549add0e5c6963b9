"""Readers of sound files, and the choice among them.

libsndfile reads WAV, AIFF, FLAC, MP3 and Ogg. PyAV reads what libsndfile does not know (WebM, M4A, AAC), a file whose
own length cannot be relied on and must be counted (an MP3 or FLAC that states none, or another one than is there), and
an Ogg of more than two channels, whose places libsndfile does not name. Files that are joined in one are read one after
the other.
"""

from __future__ import annotations

import io
import mmap
import os
from collections.abc import Callable, Sequence
from typing import IO, Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from mouthpiece.audio.av_reader import AvReader
from mouthpiece.audio.formats import find_start, recognise
from mouthpiece.audio.limits import check_shape
from mouthpiece.audio.mix import MixDown, weights
from mouthpiece.audio.parts import check_adts, ends_within_a_page, find_parts, mp3_frames
from mouthpiece.audio.pcm import Pcm, Samples
from mouthpiece.audio.splice import Piece, Splice
from mouthpiece.audio.wav import read_wav
from mouthpiece.errors import AudioError, DamagedAudio, NotAudio, TruncatedAudio, UnsupportedFormat

_WARM_UP: Final = {"MPEG_LAYER_III": 1, "OPUS": 4, "VORBIS": 4}
"""Seconds before a place that are decoded and dropped, by the coding. An MP3 frame needs bits of earlier frames, which
a seek does not fetch. An Opus frame is predicted from those before it; in speech the difference had died away after
four seconds. In Vorbis libsndfile 1.2.2 takes the last page of a file for as long as its packets are, and lands beside
the place there."""
_PIECE: Final = 65_536
"""Frames that are dropped at a time."""


class Reader(Protocol):
    """An open sound file."""

    rate: int
    """Hertz."""
    channels: int
    frames: int
    """The length of the whole file."""
    weights: tuple[float, ...]
    """Of each channel in the mix to mono."""

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
    :param mask: the channels' places, where the file says them; 0: the usual ones.
    :raises NotAudio: libsndfile cannot read it.
    """

    def __init__(self, file: io.RawIOBase | io.BytesIO, kind: str, mask: int = 0) -> None:
        try:
            self._file = _Straight(file)
        except soundfile.LibsndfileError as error:
            raise NotAudio(f"This is no {kind} file that can be read: {error.error_string}") from None
        self.rate, self.channels, self.frames = self._file.samplerate, self._file.channels, self._file.frames
        self.weights = weights(self.channels, mask)
        # When read as int16, libsndfile does not scale float samples (float WAV), and lossy formats wrap around above
        # full scale: both are read as floats and clipped here.
        self._integral = self._file.subtype.startswith(("PCM_", "ULAW", "ALAW"))
        self._warm_up = round(_WARM_UP.get(self._file.subtype, 0) * self.rate)

    def seek(self, frame: int) -> None:
        frame = min(frame, self.frames)
        start = max(0, frame - self._warm_up)
        self._file.seek(start)
        for at in range(start, frame, _PIECE):
            self.read(min(_PIECE, frame - at))

    def read(self, count: int) -> Samples:
        try:
            if self._integral:
                return self._file.read(count, dtype="int16")  # type: ignore[no-any-return]
            return _to_int16(self._file.read(count, dtype="float32"))
        except soundfile.LibsndfileError as error:
            raise DamagedAudio(f"The sound is damaged: {error.error_string}") from None

    def close(self) -> None:
        self._file.close()


class JoinedReader:
    """Files that are joined in one, as one sound. One of them is open at a time.

    :param parts: open each of them.
    :raises UnsupportedFormat: they differ in rate or channels.
    """

    def __init__(self, kind: str, parts: Sequence[Callable[[], Reader]]) -> None:
        self._parts = parts
        self._lengths: list[int] = []
        self._index = 0
        self._reader = parts[0]()
        self.rate, self.channels, self.weights = self._reader.rate, self._reader.channels, self._reader.weights
        try:
            for index in range(len(parts)):
                self._open(index)
                if (self._reader.rate, self._reader.channels) != (self.rate, self.channels):
                    raise UnsupportedFormat(
                        f"{len(parts)} {kind} files of different rates or channels are joined in it: send each one as "
                        "a segment of its own."
                    )
                self._lengths.append(self._reader.frames)
            self._open(0)
        except Exception:
            self.close()
            raise
        self.frames = sum(self._lengths)

    def seek(self, frame: int) -> None:
        index = 0
        while index < len(self._lengths) - 1 and frame >= self._lengths[index]:
            frame -= self._lengths[index]
            index += 1
        self._open(index)
        self._reader.seek(min(frame, self._lengths[index]))

    def read(self, count: int) -> Samples:
        block = self._reader.read(count)
        while not len(block) and self._index < len(self._parts) - 1:
            self._open(self._index + 1)
            block = self._reader.read(count)
        return block

    def close(self) -> None:
        self._reader.close()

    def _open(self, index: int) -> None:
        if index == self._index and index == len(self._lengths):
            return
        self._reader.close()
        self._reader, self._index = self._parts[index](), index


class MonoReader:
    """The mix of a reader's channels; it closes the reader and the file.

    ``read`` returns ``(frames,)``, as many as the reader has.
    """

    def __init__(self, reader: Reader, file: IO[bytes]) -> None:
        self._reader, self._file = reader, file
        self.rate, self.channels, self.frames = reader.rate, reader.channels, reader.frames
        self._mix = MixDown(reader.weights)
        self._ready: list[Samples] = []
        self._ended = False

    def seek(self, frame: int) -> None:
        self._mix.clear()
        self._ready, self._ended = [], False
        self._reader.seek(frame)

    def read(self, count: int) -> Samples:
        there = sum(map(len, self._ready))
        while there < count and not self._ended:
            samples = self._reader.read(count)
            self._ended = not len(samples)
            block = Pcm(samples.reshape(-1) if self.channels == 1 else samples.T, self.rate)
            for mono in self._mix.flush() if self._ended else self._mix.push(block):
                self._ready.append(mono.samples)
                there += mono.frames
        joined = np.concatenate(self._ready) if self._ready else np.zeros(0, dtype=np.int16)
        self._ready = [joined[count:]]
        return joined[:count]

    def close(self) -> None:
        self._reader.close()
        self._file.close()


def _to_int16(samples: npt.NDArray[np.float32]) -> Samples:
    """Scale float samples, of which full scale is 1.0, to int16; louder ones are clipped, and what is none is 0."""
    scaled = np.clip(np.rint(np.nan_to_num(samples, nan=0.0) * np.float32(32_768)), -32_768, 32_767)
    clipped: Samples = scaled.astype(np.int16)
    return clipped


def open_sound(file: IO[bytes]) -> tuple[MonoReader, str]:
    """Open a sound; return its reader and the name of its format, which its first bytes decide.

    :param file: an open file of the system; the reader closes it.
    :raises AudioError: it is not a sound that can be read.
    """
    try:
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise NotAudio("There is nothing in it: 0 bytes.")
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
            start = find_start(data)
            kind, demuxer = recognise(data[start : start + 4096])
            reader = _reader(file.fileno(), data, start, kind, demuxer)
        try:
            check_shape(reader.rate, reader.channels, reader.frames)
            return MonoReader(reader, file), kind
        except AudioError:
            reader.close()
            raise
    except Exception:
        file.close()
        raise


def _reader(descriptor: int, data: mmap.mmap, start: int, kind: str, demuxer: str | None) -> Reader:
    if kind == "WAV":
        wav = read_wav(data, start)
        try:
            return SndfileReader(Splice(descriptor, wav.pieces), kind, wav.mask)
        except NotAudio:
            return _coded_wav(Splice(descriptor, wav.pieces))
    if kind == "AAC":
        check_adts(data, start)
    if kind == "MP3":
        return _mp3_reader(descriptor, data, start)
    parts = find_parts(data, kind, start)
    opened = [_opening(descriptor, data, part, kind, demuxer) for part in parts]
    return opened[0]() if len(opened) == 1 else JoinedReader(kind, opened)


def _coded_wav(source: Splice) -> Reader:
    """
    :raises UnsupportedFormat: FFmpeg does not know the coding of its samples either.
    """
    unknown = UnsupportedFormat("The samples of the WAV file are coded in a way that is not known: send 16-bit PCM.")
    try:
        reader = AvReader(source, "WAV", "wav")
    except NotAudio:
        raise unknown from None
    if not reader.frames:
        reader.close()
        raise unknown
    return reader


def _opening(
    descriptor: int, data: mmap.mmap, part: tuple[int, int], kind: str, demuxer: str | None
) -> Callable[[], Reader]:
    cut = kind == "Ogg" and ends_within_a_page(data, *part)

    def source() -> Splice:
        return Splice(descriptor, [Piece(*part)])

    def open_part() -> Reader:
        if demuxer is not None:
            return AvReader(source(), kind, demuxer)
        if kind == "FLAC":
            return _flac_reader(source)
        try:
            reader = SndfileReader(source(), kind)
        except NotAudio:
            if cut:
                raise _without_sound() from None
            raise
        if cut and not reader.frames:
            reader.close()
            raise _without_sound()
        if kind == "Ogg" and reader.channels > 2:
            reader.close()
            return AvReader(source(), kind, "ogg")
        return reader

    return open_part


def _without_sound() -> TruncatedAudio:
    return TruncatedAudio("The Ogg file is cut off before its first whole page of sound. Send the whole file.")


def _flac_reader(source: Callable[[], Splice]) -> Reader:
    """
    :raises TruncatedAudio: it states more than it has.
    """
    try:
        counted: Reader | None = AvReader(source(), "FLAC", "flac")
    except UnsupportedFormat:  # PyAV is not installed
        counted = None
    try:
        stated = SndfileReader(source(), "FLAC")
    except NotAudio:
        if counted is None:
            raise
        return counted
    if counted is not None:
        counted.close()
    if counted is None or stated.frames == counted.frames:
        if not _has_end(stated):
            stated.close()
            raise _cut_off("FLAC", stated.frames / stated.rate, None)
        stated.seek(0)
        return stated
    stated.close()
    if counted.frames < stated.frames < 1 << 36:
        raise _cut_off("FLAC", stated.frames / stated.rate, counted.frames / stated.rate)
    return AvReader(source(), "FLAC", "flac")


def _has_end(reader: SndfileReader) -> bool:
    """Whether the last frame can be read."""
    try:
        reader.seek(reader.frames - 1)
        return len(reader.read(1)) == 1
    except (DamagedAudio, soundfile.LibsndfileError):
        return False


def _cut_off(kind: str, promised: float, there: float | None) -> TruncatedAudio:
    """The error for a file that states ``promised`` seconds and holds ``there``; None: unknown, but less."""
    what = f"{there:.2f} s are there" if there is not None else "less is there"
    return TruncatedAudio(
        f"The {kind} file is cut off: it promises {promised:.2f} s of sound, {what}. Send the whole file."
    )


def _mp3_reader(descriptor: int, data: mmap.mmap, start: int) -> Reader:
    """libsndfile 1.2.2 reads no further than the first frame's header states, or its bit rate suggests: it reads an MP3
    whose header states what is there.

    :raises TruncatedAudio: it states more than it has.
    """
    frames, stated = mp3_frames(data, start)
    source = Splice(descriptor, [Piece(start, len(data))])
    if stated and abs(frames - stated) <= 1:
        return SndfileReader(source, "MP3")
    if stated and frames < stated - 4:
        raise TruncatedAudio(
            f"The MP3 file is cut off: it promises {stated} frames of sound, {frames} are there. Send the whole file."
        )
    return AvReader(source, "MP3", "mp3")


def probe(file: IO[bytes]) -> dict[str, Any]:
    """The sample rate (hertz), channels, frames and format of the sound in ``file``, as ``rate``, ``channels``,
    ``frames`` and ``format``; ``file`` is closed.

    :raises AudioError: it is not a sound that can be played to its end.
    """
    reader, kind = open_sound(file)
    try:
        return {"rate": reader.rate, "channels": reader.channels, "frames": reader.frames, "format": kind}
    finally:
        reader.close()
