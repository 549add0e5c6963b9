"""The files that are joined in one, end to end, and how much sound is there, by the data and not by the headers."""

from __future__ import annotations

import itertools
import mmap
import re
from typing import Final

from mouthpiece.audio.formats import adts_frame_length, follows, mp3_frame_length, mpeg_shape, next_mpeg_frame
from mouthpiece.audio.limits import MAX_PARTS
from mouthpiece.errors import NotAudio, TruncatedAudio, UnsupportedFormat

Data = mmap.mmap | bytes

MAX_BOXES: Final = 50_000
"""Boxes of an M4A; one hour in fragments of a second has 15,000."""
STRAY_FRAMES: Final = 3
"""Frames in a row of another rate or number of channels that count as damage."""
MAX_PAGES: Final = 2_000_000
"""Pages of an Ogg."""

_BEGINS: Final = {
    "FLAC": re.compile(rb"fLaC[\x00\x80]\x00\x00\x22"),
    "WebM": re.compile(rb"\x1a\x45\xdf\xa3(?=.{1,60}?(?:webm|matroska))", re.DOTALL),
    "AIFF": re.compile(rb"FORM....AIF[FC](?:COMM|FVER|SSND|COMT|NAME|ANNO|MARK|ID3 |APPL|CHAN|AUTH)", re.DOTALL),
}
"""How a file of these formats begins: long enough not to be there by chance."""
_CONTAINERS: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"edts", b"dinf", b"moof", b"traf", b"mvex")
_NAME: Final = re.compile(rb"[\x20-\x7e\xa9]{4}")


def find_parts(data: Data, kind: str, start: int) -> list[tuple[int, int]]:
    """Where the files that are joined in ``data`` begin and end; one pair: it is one file.

    :param kind: the format, as ``recognise`` names it.
    :param start: where the first one begins.
    :raises TruncatedAudio: its last piece is not whole.
    :raises UnsupportedFormat: too many are joined, or it is cut into too many pieces.
    """
    if kind == "Ogg":
        starts = _ogg_streams(data, start)
    elif kind == "M4A":
        starts = _movies(data, start)
    elif kind in _BEGINS:
        found = itertools.islice(_BEGINS[kind].finditer(data, start + 4), MAX_PARTS)
        starts = [start, *(match.start() for match in found)]
        if kind == "AIFF":
            _check_aiff(data, starts[-1])
        if kind == "FLAC":
            _check_flac(data, starts[-1])
    else:
        starts = [start]
    if len(starts) > MAX_PARTS:
        raise UnsupportedFormat(f"More than {MAX_PARTS} {kind} files are joined in it: send them one by one.")
    return list(zip(starts, [*starts[1:], len(data)], strict=True))


def _check_aiff(data: Data, start: int) -> None:
    """
    :raises TruncatedAudio: its sound, which could have been counted, is longer than what is there. (Audio Interchange
        File Format 1.3, Apple.)
    """
    stated = start + 8 + int.from_bytes(data[start + 4 : start + 8], "big")
    at = start + 12
    for _ in range(1000):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        end = at + 8 + length
        if len(name) < 4 or (name == b"SSND" and end <= len(data)):
            return
        if name == b"SSND" and length < 1 << 30 and stated >= end:
            there = (len(data) - at - 16) / max(length - 8, 1)
            raise TruncatedAudio(f"The AIFF file is cut off: {there:.0%} of its sound is there. Send the whole file.")
        at = end + length % 2


def _check_flac(data: Data, start: int) -> None:
    """
    :raises TruncatedAudio: it ends within its metadata, before its first frame (RFC 9639, 8).
    """
    at = start + 4
    while at + 4 <= len(data):
        last, at = data[at] >> 7, at + 4 + int.from_bytes(data[at + 1 : at + 4], "big")
        if last and at < len(data):
            return
    raise TruncatedAudio("The FLAC file is cut off before its first frame of sound. Send the whole file.")


def _ogg_streams(data: Data, start: int) -> list[int]:
    """Where the links of a chained Ogg begin (RFC 3533, 4 and 6): a first page after one that is none."""
    starts, at, first = [start], start, True
    for _ in range(MAX_PAGES):
        if data[at : at + 4] != b"OggS":  # bytes between two pages: the next one is looked for
            at = data.find(b"OggS", at)
            if at < 0:
                return starts
        head = data[at : at + 27]
        if len(head) < 27:
            return starts
        begins = bool(head[5] & 2)
        if begins and not first:
            starts.append(at)
        first = begins
        at += 27 + head[26] + sum(data[at + 27 : at + 27 + head[26]])
        if at >= len(data):
            return starts
    raise UnsupportedFormat(f"The Ogg file has more than {MAX_PAGES} pages.")


def ends_within_a_page(data: Data, start: int, end: int) -> bool:
    """Whether the last page of the Ogg between ``start`` and ``end`` is longer than what is there, or another one
    begins after it (RFC 3533, 6)."""
    at = data.rfind(b"OggS", start, end)
    head = data[at : at + 27] if at >= 0 else b""
    if len(head) < 27:
        return True
    ends = at + 27 + head[26] + sum(data[at + 27 : at + 27 + head[26]])
    rest = data[ends : min(ends + 4, end)]
    return ends > end or (bool(rest) and b"OggS".startswith(rest))


def _movies(data: Data, start: int) -> list[int]:
    """Where the M4A files begin: at a ``ftyp`` box, where a ``moov`` box was before (ISO 14496-12, 4.2 and 8.2).

    :raises TruncatedAudio: the last box ends after the file, or there is no ``moov``.
    :raises UnsupportedFormat: there are more than ``MAX_BOXES`` boxes.
    """
    starts, found_moov, left = [start], False, MAX_BOXES
    ends, at = [len(data)], start
    while ends:
        if at + 8 > ends[-1]:
            at = ends.pop()
            continue
        left -= 1
        if not left:
            raise UnsupportedFormat(f"The M4A file has more than {MAX_BOXES} boxes: convert it to WAV or FLAC.")
        length, name, header = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if length == 0:  # to the end of the file
            length = ends[-1] - at
        outer = len(ends) == 1
        if outer and not _NAME.fullmatch(name):
            break  # something else follows the movie
        if outer and name == b"ftyp" and found_moov:
            starts.append(at)
            found_moov = False
        found_moov |= name == b"moov"
        end = at + max(length, header)
        if outer and end > len(data):
            raise TruncatedAudio(
                f"The M4A file is cut off: {end - len(data)} bytes of it are missing. Send the whole file."
            )
        if name in _CONTAINERS and end <= ends[-1]:
            ends.append(end)
            at += header
        else:
            at = end
    if not found_moov:
        raise TruncatedAudio(
            "The M4A file is cut off: the box that describes its sound (moov) is missing. Send the whole file."
        )
    return starts


def mp3_frames(data: Data, start: int) -> tuple[int, int | None]:
    """The MPEG frames that are in an MP3, without the one that describes them, and the number that this one states;
    None: there is none.

    :raises NotAudio: there is no frame.
    :raises UnsupportedFormat: files of different rates, channels or formats are joined in it.
    """
    at, frames, stated, end = start, 0, None, len(data)
    first = True
    shapes = _Shapes("MP3")
    while at + 4 <= end:
        length = mp3_frame_length(data, at)
        if not length:
            refuse_other(data, at, "MP3")
            at = next_mpeg_frame(data, at + 1)
            if at < 0:
                break
            continue
        if first:
            stated = _stated(data[at : at + 200])
            frames -= stated is not None
            first = False
        if at + length > end:
            break
        shapes.add(mpeg_shape(data, at))
        frames += 1
        at += length
    if frames <= 0:
        raise NotAudio("There is no sound in the MP3 file.")
    return frames, stated


def check_adts(data: Data, start: int) -> None:
    """
    :raises UnsupportedFormat: AAC files of different rates or channels are joined in it, or one of another format
        follows.
    """
    at, shapes, within = start, _Shapes("AAC"), True
    while at + 7 <= len(data):
        length = adts_frame_length(data, at)
        if not length:
            if within:
                refuse_other(data, at, "AAC")
            within = False
            at = data.find(b"\xff", at + 1)
            if at < 0:
                return
            continue
        within = True
        # sampling_frequency_index and channel_configuration (ISO 14496-3, 1.A.2.2)
        shapes.add((data[at + 2] >> 2 & 15, (data[at + 2] & 1) << 2 | data[at + 3] >> 6))
        at += length


class _Shapes:
    """Rate and channels of frames, one after the other; a few that differ are damage, more are another file."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._first: tuple[int, int] | None = None
        self._others = 0

    def add(self, shape: tuple[int, int]) -> None:
        """
        :raises UnsupportedFormat: too many in a row differ from the first.
        """
        if self._first is None:
            self._first = shape
        self._others = self._others + 1 if shape != self._first else 0
        if self._others > STRAY_FRAMES:
            raise UnsupportedFormat(
                f"{self._kind} files of different rates or channels are joined in it: send each one as a segment of "
                "its own."
            )


def refuse_other(data: Data, at: int, kind: str) -> None:
    """
    :raises UnsupportedFormat: a file of another format than ``kind`` begins at ``at``.
    """
    other = follows(data, at)
    if other not in (None, kind):
        raise UnsupportedFormat(
            f"Files of different formats ({kind}, {other}) are joined in it: send each one as a segment of its own."
        )


def _stated(frame: bytes) -> int | None:
    """The number of frames in a Xing, Info or VBRI header; 0 where it is left out; None: this is none."""
    for name in (b"Xing", b"Info"):
        at = frame.find(name, 0, 60)
        if at >= 0:
            return (
                int.from_bytes(frame[at + 8 : at + 12], "big")
                if frame[at + 7 : at + 8] > b"\0" and frame[at + 7] & 1
                else 0
            )
    at = frame.find(b"VBRI", 0, 60)
    return int.from_bytes(frame[at + 14 : at + 18], "big") if at >= 0 else None
