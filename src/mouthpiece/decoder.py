"""The program that decodes, in a process of its own: strangers' media may crash it, hang it or eat its memory.

``mouthpiece.decode`` starts it (``python -m mouthpiece.decoder``) and speaks to it over its standard input and output.
A request is one line of JSON, the answer one line of JSON followed by exactly ``bytes`` bytes; one answer a request, in
order. Before the first it says ``{"ready": true}``::

    {"op": "probe", "path": p}                  → {"rate", "channels", "frames", "format", "bytes": 0}
    {"op": "open", "id": n, "path": p, "frame": f, "count": k}  → as read
    {"op": "read", "id": n, "count": k}         → {"frames", "bytes"} and s16le, interleaved; no frames: the end
    {"op": "close", "id": n}                    → {"bytes": 0}
    a sound that cannot be used                 → {"error": name of an AudioError, "detail": sentence, "bytes": 0}

End of input ends it, so nothing stays behind when its parent is killed.

libsndfile reads WAV, AIFF, FLAC, MP3 and Ogg; WebM, M4A, AAC and an MP3 without a length of its own go through PyAV,
with the demuxer named by us: FFmpeg's own guess may be a playlist, which would open other files.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from mouthpiece.errors import AudioError, DamagedAudio, NotAudio, TruncatedAudio, UnsupportedFormat

SECONDS_A_REQUEST: Final = 10
"""Longest that one request may take, and most processor time it may use; the process is ended beyond it."""
MEMORY_LIMIT: Final = 1 << 30
"""Bytes of address space; about 250 MB of it are the libraries'."""
MIN_RATE, MAX_RATE, MAX_CHANNELS = 4_000, 192_000, 8
SUPPORTED: Final = "WAV, AIFF, FLAC, MP3, Ogg (Vorbis, Opus), WebM, M4A and AAC"

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
            raise UnsupportedFormat(f"Reading {kind} needs PyAV: install the extra mouthpiece[sender].") from None
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


def truncated(kind: str, promised: float, there: float | None) -> TruncatedAudio:
    what = f"{there:.2f} s are there" if there is not None else "less is there"
    return TruncatedAudio(f"The {kind} file is cut off: it promises {promised:.2f} s of sound, {what}.")


def open_sound(path: Path) -> tuple[Reader, str]:
    """The reader for what the file begins with, and the format's name.

    :raises AudioError: it is not a sound that can be read.
    """
    with path.open("rb") as file:
        head = file.read(4096)
        kind, demuxer = recognise(head)
        size = os.fstat(file.fileno()).st_size
        length_at = _check_wav(file, size) if kind == "WAV" else None
        if kind == "M4A":
            _check_boxes(file, size)
        if kind == "MP3" and not _mp3_tells_its_length(head, file):
            # libsndfile 1.2.2 takes the first frame's bit rate for all and reads no further than that tells.
            demuxer = "mp3"
    reader: Reader = AvReader(path, kind, demuxer) if demuxer else SndfileReader(path, kind, length_at=length_at)
    try:
        _check_shape(reader)
    except AudioError:
        reader.close()
        raise
    return reader, kind


def recognise(head: bytes) -> tuple[str, str | None]:
    """Name of the format by its first bytes, and PyAV's demuxer for it if it is not libsndfile's.

    :raises NotAudio: nothing known; UnsupportedFormat: known, and not read here.
    """
    if not head:
        raise NotAudio("There is nothing in it: 0 bytes.")
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return "WAV", None
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "AIFF", None
    if head[:4] == b"fLaC":
        return "FLAC", None
    if head[:4] == b"OggS":
        return "Ogg", None
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "WebM", "matroska"
    if head[4:8] == b"ftyp":
        return "M4A", "mov"
    if head[:3] == b"ID3":
        return "MP3", None
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "AAC", "aac"
    first = _mp3_frame_length(head, 0)
    if first and (first + 4 > len(head) or _mp3_frame_length(head, first)):
        return "MP3", None
    for magic, offset, name in _KNOWN_ELSEWHERE:
        if head[offset : offset + len(magic)] == magic:
            raise UnsupportedFormat(f"{name} is not supported. What is: {SUPPORTED}.")
    raise NotAudio(f"This is not audio in a format that is known here ({SUPPORTED}).")


_KNOWN_ELSEWHERE: Final = (
    (b"caff", 0, "CAF (Core Audio)"),
    (b".snd", 0, "AU"),
    (b"\x30\x26\xb2\x75", 0, "WMA (ASF)"),
    (b"#!AMR", 0, "AMR"),
    (b"MThd", 0, "MIDI"),
    (b"AVI ", 8, "AVI"),
    (b"wvpk", 0, "WavPack"),
    (b"MAC ", 0, "Monkey's Audio"),
    (b"FLV", 0, "Flash video"),
    (b".RMF", 0, "RealMedia"),
    (b"DSD ", 0, "DSD"),
)

_MP3_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MP3_KILOBITS: Final = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def _mp3_frame_length(data: bytes, at: int) -> int:
    """Bytes of the MPEG audio frame whose header lies at ``at``; 0 if none does (ISO 11172-3, 2.4.1.3)."""
    if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return 0
    version, layer = data[at + 1] >> 3 & 3, data[at + 1] >> 1 & 3
    kilobits, rate = data[at + 2] >> 4, data[at + 2] >> 2 & 3
    if version == 1 or layer == 0 or kilobits in (0, 15) or rate == 3:
        return 0
    bits = _MP3_KILOBITS[3 if version == 3 else 2, layer if version == 3 else (3 if layer == 3 else 2)][kilobits]
    padding = data[at + 2] >> 1 & 1
    if layer == 3:
        return (12_000 * bits // _MP3_RATES[version][rate] + padding) * 4
    slots = 72_000 if layer == 1 and version != 3 else 144_000
    return slots * bits // _MP3_RATES[version][rate] + padding


def _mp3_tells_its_length(head: bytes, file: IO[bytes]) -> bool:
    """Whether the first frame is a Xing, Info or VBRI header."""
    if head[:3] == b"ID3" and len(head) >= 10:
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]  # seven bits a byte (ID3v2.4, 6.2)
        file.seek(size + 10)
        head = file.read(4096)
    return any(tag in head[:256] for tag in (b"Xing", b"Info", b"VBRI"))


def _check_wav(file: IO[bytes], size: int) -> int | None:
    """A WAV that is shorter than its header says: libsndfile takes what is there, without a word.

    A length that a writer to a pipe put there (0, or about 2 or 4 GB) is no promise. Where it is 0, the offset of it is
    returned: libsndfile would read nothing.

    :raises TruncatedAudio: so it is.
    """
    file.seek(0)
    riff = file.read(12)
    order = ">" if riff[:4] == b"RIFX" else "<"
    at, rate_of_bytes, ds64 = 12, 0, 0
    while len(header := file.read(8)) == 8:
        name, length = header[:4], struct.unpack(order + "I", header[4:])[0]
        at += 8
        if name == b"fmt ":
            fmt = file.read(16)
            rate_of_bytes = struct.unpack(order + "I", fmt[8:12])[0] if len(fmt) == 16 else 0
        elif name == b"ds64":
            ds64 = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))[1]
        elif name == b"data":
            if length == 0xFFFFFFFF and ds64:
                length = ds64
            elif length == 0:
                return at - 4
            elif 0x7FFF_0000 <= length <= 0xFFFF_FFFF:
                return None
            if size - at < length and rate_of_bytes:
                raise truncated("WAV", length / rate_of_bytes, (size - at) / rate_of_bytes)
            return None
        at += length + length % 2
        file.seek(at)
    raise TruncatedAudio("The WAV file is cut off: its header is there, its sound is not.")


def _check_boxes(file: IO[bytes], size: int) -> None:
    """An M4A whose last box is longer than what is there (ISO 14496-12, 4.2).

    :raises TruncatedAudio: so it is.
    """
    at = 0
    while at < size:
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length == 0:  # to the end of the file
            return
        if at + max(length, 8) > size:
            raise TruncatedAudio(f"The M4A file is cut off: {at + length - size} bytes of it are missing.")
        at += max(length, 8)


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


class Program:
    """Answers one request after the other."""

    def __init__(self) -> None:
        self._readers: dict[int, Reader] = {}

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        match request["op"]:
            case "probe":
                return probe(Path(request["path"])), b""
            case "open":
                reader, _ = open_sound(Path(request["path"]))
                self._readers[request["id"]] = reader
                if request["frame"]:
                    reader.seek(request["frame"])
                return self._read(request)
            case "read":
                return self._read(request)
            case "close":
                if request["id"] in self._readers:
                    self._readers.pop(request["id"]).close()
                return {}, b""
            case other:
                raise ValueError(f"unknown request {other!r}")

    def _read(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        samples = self._readers[request["id"]].read(request["count"])
        return {"frames": len(samples)}, samples.astype("<i2", copy=False).tobytes()


def limit_resources() -> None:
    """For good: memory, core files, writing; the processor time is renewed with each request."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":  # elsewhere the address space is not what a process uses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def renew_time() -> None:
    """``SECONDS_A_REQUEST`` from now, by the clock and of processor time; the signals' default action ends us."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + SECONDS_A_REQUEST + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    signal.setitimer(signal.ITIMER_REAL, SECONDS_A_REQUEST)


def main() -> None:
    # Standard output belongs to the protocol: what a library prints goes where standard error goes.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limit_resources()
    program = Program()
    output.write(b'{"ready": true, "bytes": 0}\n')
    output.flush()
    for line in sys.stdin.buffer:
        renew_time()
        try:
            header, payload = program.answer(json.loads(line))
        except AudioError as error:
            header, payload = {"error": type(error).__name__, "detail": str(error)}, b""
        except MemoryError:
            detail = "Decoding it needs more memory than it may have."
            header, payload = {"error": DamagedAudio.__name__, "detail": detail}, b""
        except OSError as error:
            header, payload = {"error": NotAudio.__name__, "detail": f"It cannot be read: {error.strerror}."}, b""
        except Exception as error:  # a library's surprise over a stranger's file is that file's fault
            detail = f"The decoder could not make sense of it ({type(error).__name__})."
            header, payload = {"error": DamagedAudio.__name__, "detail": detail}, b""
        signal.setitimer(signal.ITIMER_REAL, 0)
        header["bytes"] = len(payload)
        output.write(json.dumps(header).encode() + b"\n" + payload)
        output.flush()


if __name__ == "__main__":
    main()
