"""Recognises a file's format by the first bytes of its sound."""

from __future__ import annotations

import mmap
import re
from typing import Final

from mouthpiece.errors import NotAudio, UnsupportedFormat

SUPPORTED: Final = "WAV, AIFF, FLAC, MP3, Ogg (Vorbis, Opus), WebM, M4A and AAC"


ZEROS: Final = 1 << 20
"""Bytes of zeros, and of tags' headers, that are skipped at most to find the sound."""

_BOM: Final = b"\xef\xbb\xbf"


def find_start(data: mmap.mmap | bytes) -> int:
    """Where the sound's own first byte is: after a byte order mark, ID3 and APE tags and zeros, in any order. Where
    nothing known follows a tag its length is wrong, and the first MPEG frames after its header are the sound."""
    at = _after_tags(data)
    if at and not _is_known(data[at : at + 4096]):
        begin = data.find(b"ID3", 0, at)
        found = -1 if begin < 0 else next_mpeg_frame(data, begin + 10)
        if found >= 0:
            return found
    return at


def _is_known(head: bytes) -> bool:
    try:
        recognise(head)
    except UnsupportedFormat:
        return True
    except NotAudio:
        return False
    return True


def follows(data: mmap.mmap | bytes, at: int) -> str | None:
    """The name of the format of another file that begins at ``at``, after tags; None: none does."""
    head = data[at : at + 8192]
    head = head[_after_tags(head) :]
    try:
        kind = recognise(head)[0]
    except (NotAudio, UnsupportedFormat):
        return None
    if kind == "AAC":  # two bytes may be there by chance: another frame must follow
        length = adts_frame_length(head, 0)
        return kind if length and adts_frame_length(head, length) else None
    return kind


def _after_tags(data: mmap.mmap | bytes) -> int:
    at = 0
    for _ in range(64):
        head = data[at : at + 10]
        if head[:3] == _BOM:
            at += 3
        elif head[:3] == b"ID3" and len(head) == 10 and max(head[3:5]) < 0xFF and max(head[6:10]) < 0x80:
            size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]  # seven bits a byte (ID3v2.4, 6.2)
            at += 10 + size + (10 if head[5] & 0x10 else 0)
        elif data[at : at + 8] == b"APETAGEX":  # its length counts all but this header
            at += 32 + int.from_bytes(data[at + 12 : at + 16], "little")
        elif head[:1] == b"\0" and data[at + 4 : at + 8] not in _BOXES:
            found = _SOUND.search(data, at, at + ZEROS)
            if found is None:
                return at
            at = found.start()
            if data[at - 3 : at + 5] and data[at + 1 : at + 5] in _BOXES:  # the length of a box begins with zeros
                return at - 3
        else:
            return at
    return at


_SOUND: Final = re.compile(rb"[^\0]")
_BOXES: Final = (b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide")


def recognise(head: bytes) -> tuple[str, str | None]:
    """Return the name of the format by the sound's first bytes, and PyAV's demuxer; None: libsndfile reads it.

    :param head: the first bytes from ``find_start`` on; for an MP3 at least one frame (4096 bytes are enough).
    :raises NotAudio: the format is unknown, or there are no bytes.
    :raises UnsupportedFormat: the format is known and not supported.
    """
    if not head:
        raise NotAudio("There is nothing in it: 0 bytes of sound.")
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
    if head[4:8] in _BOXES:
        return "M4A", "mov"
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "AAC", "aac"
    first = mp3_frame_length(head, 0)
    if first and (first + 4 > len(head) or mp3_frame_length(head, first)):
        return "MP3", None
    for magic, offset, name in _KNOWN_ELSEWHERE:
        if head[offset : offset + len(magic)] == magic:
            raise UnsupportedFormat(f"{name} is not supported. What is: {SUPPORTED}.")
    raise NotAudio(f"This is not audio in a format that is known here ({SUPPORTED}){_what_it_is(head)}.")


def _what_it_is(head: bytes) -> str:
    """A half-sentence on what the bytes look like, and what to do; empty where that is not known."""
    for magic, offset, name in _OTHER_THINGS:
        if head[offset : offset + len(magic)] == magic:
            return f": it is {name}"
    if not head.strip(b"\0"):
        return ": there is nothing in it but zeros"
    try:
        text = head[:400].decode().strip().lower()
    except UnicodeDecodeError:
        return ""
    if text.startswith(("<!doctype html", "<html")):
        return ": it is a web page, often a server's message instead of a file"
    if text.startswith("<"):
        return ": it is XML, often a server's message instead of a file"
    if text.startswith(("{", "[")):
        return ": it is JSON, often a server's message instead of a file"
    if text.startswith(("data:", *_BASE64)):
        return ": it is base64: decode it first, or send it as JSON"
    if text.startswith("#extm3u"):
        return ": it is a playlist: send the sound itself"
    return ": it is text, which is sent as JSON with a key “text”" if text.isprintable() and " " in text else ""


_BASE64: Final = ("uklgr", "suqz", "//uq", "//nq", "t2dnuw", "zkxhqw", "gkxfo")
"""How WAV, MP3, Ogg, FLAC and WebM begin in base64, in lower case."""

_OTHER_THINGS: Final = (
    (b"%PDF", 0, "a PDF"),
    (b"\x89PNG", 0, "a PNG picture"),
    (b"\xff\xd8\xff", 0, "a JPEG picture"),
    (b"GIF8", 0, "a GIF picture"),
    (b"WEBP", 8, "a WebP picture"),
    (b"PK\x03\x04", 0, "a ZIP archive: send the file in it"),
    (b"\x1f\x8b", 0, "compressed with gzip: send it uncompressed"),
    (b"\x28\xb5\x2f\xfd", 0, "compressed with zstd: send it uncompressed"),
    (b"7z\xbc\xaf", 0, "a 7z archive: send the file in it"),
    (b"\x7fELF", 0, "a program"),
)

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
    (b"riff", 0, "Wave64"),
    (b"\x0b\x77", 0, "AC-3"),
    (b"\x7f\xfe\x80\x01", 0, "DTS"),
    (b"TTA1", 0, "TTA"),
    (b"G\x40", 0, "An MPEG transport stream"),
)

_MP3_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MP3_KILOBITS: Final = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def mp3_frame_length(data: mmap.mmap | bytes, at: int) -> int:
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


def mpeg_shape(data: mmap.mmap | bytes, at: int) -> tuple[int, int]:
    """The sample rate and channels of the MPEG audio frame at ``at``."""
    rate = _MP3_RATES[data[at + 1] >> 3 & 3][data[at + 2] >> 2 & 3]
    return rate, 1 if data[at + 3] >> 6 == 3 else 2


def next_mpeg_frame(data: mmap.mmap | bytes, at: int) -> int:
    """Where the next MPEG frame begins that is followed by another one; -1: nowhere."""
    for _ in range(1_000_000):
        at = data.find(b"\xff", at)
        if at < 0:
            return -1
        length = mp3_frame_length(data, at)
        if length and (at + length >= len(data) or mp3_frame_length(data, at + length)):
            return at
        at += 1
    return -1


def adts_frame_length(data: mmap.mmap | bytes, at: int) -> int:
    """Bytes of the ADTS frame whose header lies at ``at``; 0 if none does (ISO 14496-3, 1.A.2.2)."""
    if len(data) < at + 7 or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return 0
    length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    return length if length >= 7 else 0
