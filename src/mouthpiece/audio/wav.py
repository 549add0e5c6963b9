"""What is in a WAV: where its samples lie, whatever its lengths say.

A length is taken for what it is by what is there. Of a ``data`` chunk:

* Where it ends, the file ends or another chunk begins: it is right.
* It ends earlier, and no chunk begins there: it was never filled in, and the sound goes on to the end.
* It is more than is there. It is believed, and the file is cut off, where it could have been counted: it is whole
  frames, the length in the file's first chunk agrees with it, and it is below 1 GB. Otherwise it stands for "not known"
  (a pipe), and the sound goes on to the end. It may also count the header by mistake: then nothing is missing.

A second header inside (files joined end to end) begins a part of its own, and a second ``data`` chunk goes on; no
header is ever played, and a file of another format that follows is refused. After a chunk of an odd length comes a byte
that fills it up, or not: what makes a chunk of what follows.

Sources: Multimedia Programming Interface and Data Specifications 1.0 (RIFF, WAVE); EBU Tech 3306 (RF64, ds64).
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass
from typing import Final

from mouthpiece.audio.limits import MAX_PARTS
from mouthpiece.audio.parts import refuse_other
from mouthpiece.audio.splice import Piece
from mouthpiece.errors import DamagedAudio, NotAudio, TruncatedAudio, UnsupportedFormat

COUNTABLE: Final = 1 << 30
"""Bytes; no body is that long, so a longer length stands for "not known"."""
MAX_CHUNKS: Final = 10_000

_HEADER: Final = re.compile(rb"(?:RIFF|RIFX|RF64|BW64)....WAVE(?=[A-Za-z]{3}[A-Za-z0-9 ])", re.DOTALL)
_CHUNK_ID: Final = re.compile(rb"[A-Za-z][A-Za-z0-9 _-]{3}")
_COMMON: Final = frozenset(
    b"data,fmt ,fact,LIST,INFO,PEAK,bext,cue ,smpl,inst,plst,labl,note,adtl,id3 ,ID3 ,JUNK,junk,PAD ,FLLR,iXML,axml,"
    b"chna,ds64,_PMX,afsp,minf,elm1,regn,umid,DISP,acid,strc,cart,levl,link,LGWV".split(b",")
)
"""Names of chunks that are one even where they are cut off; another one must end within the file."""
_PLAIN: Final = (1, 3, 6, 7)
"""Format tags of which any number of whole frames is a sound: PCM, float, A-law, µ-law."""
_EXTENSIBLE: Final = 0xFFFE


@dataclass(frozen=True, slots=True)
class Wav:
    """The sound of a WAV."""

    pieces: tuple[Piece | bytes, ...]
    """A WAV with one header, whose length is right."""
    mask: int
    """The channels' places; 0: not said."""
    parts: int


@dataclass(frozen=True, slots=True)
class _Part:
    order: str
    format: bytes
    """The ``fmt`` chunk's content."""
    data: tuple[Piece, ...]
    """The content of its ``data`` chunks."""


def read_wav(data: mmap.mmap | bytes, start: int = 0) -> Wav:
    """Find the samples of the WAV that begins at ``start``.

    :raises TruncatedAudio: it is shorter than it was.
    :raises UnsupportedFormat: its parts are of different formats.
    :raises NotAudio: it has no samples.
    :raises DamagedAudio: it has no format, or too many chunks.
    """
    starts = [start]
    for match in _HEADER.finditer(data, start + 12):
        if len(starts) >= MAX_PARTS:
            raise UnsupportedFormat(f"More than {MAX_PARTS} WAV files are joined in it: send them one by one.")
        starts.append(match.start())
    ends = [*starts[1:], len(data)]
    parts = [_part(data, begin, end) for begin, end in zip(starts, ends, strict=True)]
    first = parts[0]
    if any((part.order, _shape(part)) != (first.order, _shape(first)) for part in parts):
        raise UnsupportedFormat(
            f"{len(parts)} WAV files of different formats are joined in it: send each one as a segment of its own."
        )
    pieces = [piece for part in parts for piece in part.data]
    size = sum(piece.end - piece.start for piece in pieces)
    if not size:
        raise NotAudio("There is no sound in the WAV file: it is 0 s long.")
    if size > 0xFFFF_0000:
        raise UnsupportedFormat("A WAV of more than 4 GB is not supported.")
    pack = struct.Struct(first.order + "I").pack
    format = _with_container(first)
    head = b"WAVEfmt " + pack(len(format)) + format + bytes(len(format) % 2) + b"data" + pack(size)
    name = b"RIFX" if first.order == ">" else b"RIFF"
    header = name + pack(len(head) + size + size % 2) + head
    return Wav((header, *pieces, bytes(size % 2)), _mask(first), len(parts))


def _part(data: mmap.mmap | bytes, start: int, end: int) -> _Part:
    order = ">" if data[start : start + 4] == b"RIFX" else "<"
    number = struct.Struct(order + "I")
    stated = start + 8 + number.unpack(data[start + 4 : start + 8])[0]
    at, ds64, format = start + 12, 0, b""
    found: tuple[Piece, ...] = ()
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            break
        name, length = data[at : at + 4], number.unpack(data[at + 4 : at + 8])[0]
        body = at + 8
        if name == b"data":
            if len(format) < 16:
                raise DamagedAudio("The WAV file does not say what format its samples have.")
            if length == 0xFFFF_FFFF and ds64:
                length = ds64
            part = _Part(order, format, (Piece(body, body),))
            piece = Piece(body, _end(data, part, length, start, stated, end))
            found = (*found, piece)
            after = _next_chunk(data, piece.end, end, order)
            if after is None or _is_tag(data, piece.end):
                break
            at = after
            continue
        if name == b"fmt ":
            format = data[body : body + min(length, 64)]
        elif name == b"ds64":
            ds64 = int.from_bytes(data[body + 8 : body + 16], "little")
        after = _next_chunk(data, body + length, end, order)
        if after is None and found:
            break
        if after is None:  # its length is wrong: the next chunk that is needed is looked for
            wanted = b"data" if format else b"fmt "
            after = data.find(wanted, body, end)
            if after < 0:
                break
        at = after
    else:
        raise DamagedAudio(f"The WAV file has more than {MAX_CHUNKS} chunks.")
    if found:
        return _Part(order, format, found)
    raise TruncatedAudio("The WAV file is cut off: its header is there, its sound is not.")


def _next_chunk(data: mmap.mmap | bytes, at: int, end: int, order: str) -> int | None:
    """Where the chunk begins that follows one that ends at ``at``; None: none does."""
    for begin in (at + at % 2, at, at + 1):
        name = data[begin : begin + 4]
        if begin + 8 > end or not _CHUNK_ID.fullmatch(name):
            continue
        if name in _COMMON or begin + 8 + struct.unpack(order + "I", data[begin + 4 : begin + 8])[0] <= end:
            return begin
    return None


def _end(data: mmap.mmap | bytes, part: _Part, length: int, start: int, stated: int, end: int) -> int:
    """Where the samples end that begin at ``part.data`` and are ``length`` bytes by their header.

    :param start: where the file begins.
    :param stated: where it ends by its first chunk.
    """
    begin = part.data[0].start
    there = end - begin
    frame = _frame(part)
    whole = begin + there - (there % frame if frame else 0)
    if length <= there:
        after = begin + length
        if after + 1 >= end or _next_chunk(data, after, end, part.order) is not None or _is_tag(data, after):
            if _is_tag(data, after):
                refuse_other(data, after, "WAV")
            return after
        refuse_other(data, after, "WAV")
        return whole
    counted = length % (frame or 1) == 0 and length < COUNTABLE and (stated == start + 8 or stated >= begin + length)
    slipped = length - there <= begin - start and there > 0 and whole == end
    over_others = end < len(data) <= begin + length + 1  # the length of the first of several files counts them all
    if counted and not slipped and not over_others:
        second = struct.unpack(part.order + "I", part.format[8:12])[0] or 1
        raise TruncatedAudio(
            f"The WAV file is cut off: it promises {length / second:.2f} s of sound, {there / second:.2f} s are there. "
            "Send the whole file."
        )
    return whole


def _is_tag(data: mmap.mmap | bytes, at: int) -> bool:
    """Whether an ID3 or APE tag begins at ``at``: programs append them to any file."""
    return data[at : at + 3] in (b"TAG", b"ID3") or data[at : at + 8] == b"APETAGEX"


def _frame(part: _Part) -> int:
    """Bytes of a frame; 0 for a compressed format, and where the header does not say."""
    tag, frame = _tag(part), int(struct.unpack(part.order + "H", part.format[12:14])[0])
    return frame if tag in _PLAIN else 0


def _with_container(part: _Part) -> bytes:
    """The format, with the bits of the container of a sample where these are more than its own: 24 in 32. Samples fill
    theirs from the top (WAVEFORMATEX); libsndfile takes them for 24 bits on end."""
    tag, channels, _, frame, bits = struct.unpack(part.order + "HHQHH", part.format[:16])
    if tag != 1 or not 16 < bits < 32 or not channels or frame != 4 * channels:
        return part.format
    return part.format[:14] + struct.pack(part.order + "H", 32) + part.format[16:]


def _tag(part: _Part) -> int:
    tag = int(struct.unpack(part.order + "H", part.format[:2])[0])
    if tag == _EXTENSIBLE and len(part.format) >= 26:
        return int(struct.unpack(part.order + "H", part.format[24:26])[0])
    return tag


def _mask(part: _Part) -> int:
    if struct.unpack(part.order + "H", part.format[:2])[0] != _EXTENSIBLE or len(part.format) < 24:
        return 0
    return int(struct.unpack(part.order + "I", part.format[20:24])[0])


def _shape(part: _Part) -> tuple[int, bytes, bytes]:
    """What joined files must share: the format, channels and rate, and the bits of a sample."""
    return _tag(part), part.format[2:8], part.format[12:16]
