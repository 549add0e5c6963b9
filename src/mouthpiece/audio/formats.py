"""Recognises a file's format by its first bytes, and a truncated file by its headers."""

from __future__ import annotations

import struct
from typing import IO, Final

from mouthpiece.errors import NotAudio, TruncatedAudio, UnsupportedFormat

SUPPORTED: Final = "WAV, AIFF, FLAC, MP3, Ogg (Vorbis, Opus), WebM, M4A and AAC"


def truncated(kind: str, promised: float, there: float | None) -> TruncatedAudio:
    """The error for a file that states ``promised`` seconds and holds ``there``; None: unknown, but less."""
    what = f"{there:.2f} s are there" if there is not None else "less is there"
    return TruncatedAudio(f"The {kind} file is cut off: it promises {promised:.2f} s of sound, {what}.")


def recognise(head: bytes) -> tuple[str, str | None]:
    """Return the name of the format by the file's first bytes, and PyAV's demuxer; None: libsndfile reads it.

    :param head: the first bytes; for an MP3 without tags at least one frame (4096 bytes are enough).
    :raises NotAudio: the format is unknown, or there are no bytes.
    :raises UnsupportedFormat: the format is known and not supported.
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


def mp3_states_length(head: bytes, file: IO[bytes]) -> bool:
    """Whether the first frame is a Xing, Info or VBRI header. ``head``: the first bytes of ``file``."""
    if head[:3] == b"ID3" and len(head) >= 10:
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]  # seven bits a byte (ID3v2.4, 6.2)
        file.seek(size + 10)
        head = file.read(4096)
    return any(tag in head[:256] for tag in (b"Xing", b"Info", b"VBRI"))


def check_wav(file: IO[bytes], size: int) -> int | None:
    """Check that a WAV is as long as its header states: libsndfile plays a shorter one without an error.

    Writers to a pipe put 0, or about 2 or 4 GB, in place of the length that they do not know yet; such a length is not
    checked. If it is 0, return its offset in the file: libsndfile would read nothing.

    :param size: bytes of ``file``.
    :raises TruncatedAudio: it is shorter.
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


def check_boxes(file: IO[bytes], size: int) -> None:
    """Check that the last box of an M4A ends within the file (ISO 14496-12, 4.2).

    :param size: bytes of ``file``.
    :raises TruncatedAudio: it does not.
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
