"""Files as their writers leave them: with wrong lengths, joined, with something before the sound, in odd layouts. Each
kind is from a public report."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import soundfile

from tests.loopback.decode.making import Samples, chirp, write_with_av

RATE = 24_000
SOUND = chirp(1.5, RATE)
HALVES = (SOUND[: RATE // 2], SOUND[RATE // 2 :])
ID3 = b"ID3\x04\0\0\0\0\x02\x01" + bytes(257)


def file_of(samples: Samples, format: str = "WAV", subtype: str = "PCM_16", rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format, subtype=subtype)
    return file.getvalue()


def with_av(folder: Path, container: str, codec: str, samples: Samples, rate: int = RATE) -> bytes:
    write_with_av(folder / "made", container, codec, samples, rate)
    return (folder / "made").read_bytes()


def chunk(name: bytes, content: bytes, *, pad: bool = True, length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return name + struct.pack("<I", size) + content + bytes(pad and len(content) % 2)


def riff(*chunks: bytes, length: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if length is None else length) + body


FMT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16))
DATA = SOUND.tobytes()


def joined(*, length: int | None = None, outer: int | None = None) -> bytes:
    return b"".join(riff(FMT, chunk(b"data", half.tobytes(), length=length), length=outer) for half in HALVES)


def mended_over_all() -> bytes:
    """The first header counts everything behind it, the second header too."""
    whole = bytearray(joined())
    whole[4:8], whole[40:44] = struct.pack("<I", len(whole) - 8), struct.pack("<I", len(whole) - 44)
    return bytes(whole)


def stated_frames(flac: bytes, frames: int) -> bytes:
    changed = bytearray(flac)
    changed[21] = changed[21] & 0xF0 | frames >> 32
    changed[22:26] = struct.pack(">I", frames & 0xFFFFFFFF)
    return bytes(changed)


def webm_with_hole(folder: Path) -> bytes:
    """0.5 s of sound, 0.5 s of nothing, 0.5 s of sound."""
    with av.open(str(folder / "hole.webm"), "w", format="webm") as output:
        stream = output.add_stream("libopus", rate=48_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        wave = chirp(1.5, 48_000)
        for number in range(75):
            frame = av.AudioFrame.from_ndarray(wave[None, number * 960 : (number + 1) * 960], "s16", "mono")
            frame.sample_rate, frame.pts = 48_000, number * 960
            for packet in stream.encode(frame):
                assert packet.pts is not None
                if not 0.5 <= float(packet.pts * packet.time_base) < 1.0:
                    output.mux(packet)
        output.mux(stream.encode(None))
    return (folder / "hole.webm").read_bytes()


BuiltFrom = Callable[[Path], bytes]
WHOLE: dict[str, BuiltFrom] = {
    # chained and joined
    "ogg-vorbis-chained": lambda _: b"".join(file_of(half, "OGG", "VORBIS") for half in HALVES),
    "ogg-opus-chained": lambda _: b"".join(file_of(half, "OGG", "OPUS") for half in HALVES),
    "flac-joined": lambda _: b"".join(file_of(half, "FLAC") for half in HALVES),
    "aiff-joined": lambda _: b"".join(file_of(half, "AIFF") for half in HALVES),
    "mp3-joined": lambda _: b"".join(file_of(half, "MP3", "MPEG_LAYER_III") for half in HALVES),
    "mp3-joined-with-tags": lambda _: b"".join(ID3 + file_of(half, "MP3", "MPEG_LAYER_III") for half in HALVES),
    "m4a-joined": lambda folder: b"".join(with_av(folder, "ipod", "aac", half) for half in HALVES),
    "webm-joined": lambda folder: b"".join(with_av(folder, "webm", "libopus", half, RATE) for half in HALVES),
    "adts-joined": lambda folder: b"".join(with_av(folder, "adts", "aac", half) for half in HALVES),
    "wav-joined": lambda _: joined(),
    "wav-joined-ffff": lambda _: joined(length=0xFFFFFFFF, outer=0xFFFFFFFF),
    "wav-joined-0": lambda _: joined(length=0, outer=36),
    "wav-joined-first-counts-all": lambda _: mended_over_all(),
    # lengths that were never known, or are a slip
    **{
        f"wav-pipe-{length:x}": lambda _, length=length: riff(FMT, chunk(b"data", DATA, length=length), length=length)  # type: ignore[misc]
        for length in (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x7FFFF000, 0xFFFFFF00, 0x12345679, 0x40000000)
    },
    "wav-pipe-lists-first": lambda _: riff(FMT, chunk(b"LIST", b"INFOx"), chunk(b"data", DATA, length=0), length=0),
    "wav-length-counts-the-header": lambda _: riff(FMT, chunk(b"data", DATA, length=len(DATA) + 44)),
    "wav-length-of-its-first-block": lambda _: riff(FMT, chunk(b"data", DATA, length=4096)),
    "wav-odd-list-without-pad": lambda _: riff(
        FMT, chunk(b"LIST", b"INFOISFT\5\0\0\0abcde", pad=False), chunk(b"data", DATA)
    ),
    "wav-odd-junk-without-pad": lambda _: riff(chunk(b"JUNK", b"abc", pad=False), FMT, chunk(b"data", DATA)),
    "wav-two-odd-without-pad": lambda _: riff(
        FMT, chunk(b"bext", b"a", pad=False), chunk(b"id3 ", b"abcde", pad=False), chunk(b"data", DATA)
    ),
    "wav-list-of-wrong-length": lambda _: riff(FMT, chunk(b"LIST", b"INFOabcd", length=500), chunk(b"data", DATA)),
    "wav-list-behind": lambda _: riff(FMT, chunk(b"data", DATA), chunk(b"LIST", b"INFO" + b"\x11" * 4001)),
    "wav-list-behind-cut": lambda _: riff(
        FMT, chunk(b"data", DATA), chunk(b"LIST", b"INFO" + b"\x11" * 40, length=900)
    ),
    "flac-pipe": lambda _: stated_frames(file_of(SOUND, "FLAC"), 0),
    "flac-states-too-little": lambda _: stated_frames(file_of(SOUND, "FLAC"), 20_000),
    "flac-24-pipe": lambda _: stated_frames(file_of(SOUND, "FLAC", "PCM_24"), 0),
    # what stands before
    "id3-flac": lambda _: ID3 + file_of(SOUND, "FLAC"),
    "id3-ogg": lambda _: ID3 + file_of(SOUND, "OGG", "VORBIS"),
    "id3-aac": lambda folder: ID3 + with_av(folder, "adts", "aac", SOUND),
    "id3-id3-mp3": lambda _: ID3 + ID3 + file_of(SOUND, "MP3", "MPEG_LAYER_III"),
    "id3-wav": lambda _: ID3 + file_of(SOUND),
    "bom-wav": lambda _: b"\xef\xbb\xbf" + file_of(SOUND),
    "zeros-wav": lambda _: bytes(1234) + file_of(SOUND),
    "zeros-m4a": lambda folder: bytes(100) + with_av(folder, "ipod", "aac", SOUND),
    "zeros-flac": lambda _: bytes(5) + file_of(SOUND, "FLAC"),
    "wav-tag-behind": lambda _: file_of(SOUND) + b"TAG" + bytes(125),
}


CUT: dict[str, BuiltFrom] = {
    "wav": lambda _: file_of(SOUND),
    "wav-with-list": lambda _: riff(FMT, chunk(b"LIST", b"INFO" + bytes(90)), chunk(b"data", DATA)),
    "wav-24": lambda _: file_of(SOUND, "WAV", "PCM_24"),
    "aiff": lambda _: file_of(SOUND, "AIFF"),
    "flac": lambda _: file_of(SOUND, "FLAC"),
    "mp3": lambda _: file_of(SOUND, "MP3", "MPEG_LAYER_III"),
    "m4a": lambda folder: with_av(folder, "ipod", "aac", SOUND),
}


def mixed(*of: float) -> Samples:
    return np.stack([np.rint(SOUND * share).astype(np.int16) for share in of], axis=1)


def with_mask(mask: int, samples: Samples) -> bytes:
    channels = samples.shape[1]
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, channels, RATE, RATE * 2 * channels, 2 * channels, 16, 22, 16, mask)
    return riff(
        chunk(b"fmt ", fmt + b"\1\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"), chunk(b"data", samples.tobytes())
    )


LAYOUTS: dict[str, tuple[BuiltFrom, float]] = {
    "antiphase": (lambda _: file_of(mixed(1, -1)), 0),
    "antiphase-flac": (lambda _: file_of(mixed(1, -1), "FLAC"), 0),
    "antiphase-quieter-right": (lambda _: file_of(mixed(1, -0.8)), 0),
    "antiphase-vorbis": (lambda _: file_of(mixed(-1, 1), "OGG", "VORBIS"), 0),
    "stereo": (lambda _: file_of(mixed(1, 1)), 0),
    "left-alone": (lambda _: file_of(mixed(1, 0)), -6),
    "5.1-centre": (lambda _: file_of(mixed(0, 0, 1, 0, 0, 0)), -3),
    "5.1-centre-flac": (lambda _: file_of(mixed(0, 0, 1, 0, 0, 0), "FLAC"), -3),
    "5.1-centre-vorbis": (lambda _: file_of(mixed(0, 1, 0, 0, 0, 0), "OGG", "VORBIS"), -3),
    "5.1-left-and-right": (lambda _: file_of(mixed(1, 1, 0, 0, 0, 0)), 0),
    "5.1-in-the-mask": (lambda _: with_mask(0x60F, mixed(0, 0, 1, 0, 0, 0)), -3),
    "2.1-in-the-mask": (lambda _: with_mask(0xB, mixed(1, 1, 0.5)), 0),
    "7.1-surround": (lambda _: file_of(mixed(0, 0, 0, 0, 0, 0, 1, 1)), -3),
    "3.0-centre": (lambda _: file_of(mixed(0, 0, 1)), -3),
}
