"""What is in a file is what is said, however its writer got its header wrong; each kind is from a public report."""

from __future__ import annotations

import asyncio
import io
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio
import soundfile

from mouthpiece.audio.decoders import Decoders
from mouthpiece.errors import AudioError, TruncatedAudio, UnsupportedFormat
from tests.loopback.decode.judging import compare
from tests.loopback.decode.making import Samples, chirp, write_with_av

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATE = 24_000
SOUND = chirp(1.5, RATE)
HALVES = (SOUND[: RATE // 2], SOUND[RATE // 2 :])
ID3 = b"ID3\x04\0\0\0\0\x02\x01" + bytes(257)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def decoders() -> AsyncIterator[Decoders]:
    """One for all tests here: a process takes a second to start."""
    async with Decoders() as decoders:
        yield decoders


async def heard(decoders: Decoders, path: Path) -> tuple[Samples, int]:
    """The whole sound, whose length is what was promised, and its rate."""
    info = await decoders.probe(path)
    async with decoders.open(path, info) as blocks:
        read = np.concatenate([block.samples async for block in blocks])
    assert info.duration is not None
    assert len(read) / info.sample_rate == pytest.approx(info.duration, abs=1e-3)
    return read, info.sample_rate


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


@pytest.mark.parametrize("name", WHOLE)
async def test_all_of_it_is_heard(tmp_path: Path, decoders: Decoders, name: str) -> None:
    path = tmp_path / "given"
    path.write_bytes(await asyncio.to_thread(WHOLE[name], tmp_path))
    read, rate = await heard(decoders, path)
    found = compare(read, rate, SOUND, RATE)
    assert found.seconds == pytest.approx(0, abs=0.15 if "joined" in name or "aac" in name else 0.05)
    if "joined" in name and name.startswith(("m4a", "adts", "mp3", "webm")):
        assert found.correlation > 0.6  # the padding of the second file shifts it
    else:
        assert found.correlation > 0.9
    assert found.level == pytest.approx(0, abs=1)


async def test_a_hole_in_the_time_stamps_is_silence(tmp_path: Path, decoders: Decoders) -> None:
    path = tmp_path / "given"
    path.write_bytes(await asyncio.to_thread(webm_with_hole, tmp_path))
    read, rate = await heard(decoders, path)
    assert len(read) / rate == pytest.approx(1.5, abs=0.05)
    assert np.abs(read[int(0.6 * rate) : int(0.95 * rate)]).max() < 100
    wave = chirp(1.5, 48_000)
    for start, end in ((0.0, 0.45), (1.05, 1.45)):
        piece = slice(round(start * 48_000), round(end * 48_000))
        assert compare(read[piece], rate, wave[piece], 48_000).correlation > 0.98


CUT: dict[str, BuiltFrom] = {
    "wav": lambda _: file_of(SOUND),
    "wav-with-list": lambda _: riff(FMT, chunk(b"LIST", b"INFO" + bytes(90)), chunk(b"data", DATA)),
    "wav-24": lambda _: file_of(SOUND, "WAV", "PCM_24"),
    "aiff": lambda _: file_of(SOUND, "AIFF"),
    "flac": lambda _: file_of(SOUND, "FLAC"),
    "mp3": lambda _: file_of(SOUND, "MP3", "MPEG_LAYER_III"),
    "m4a": lambda folder: with_av(folder, "ipod", "aac", SOUND),
}


@pytest.mark.parametrize("name", CUT)
async def test_cut_in_the_middle_it_is_refused_in_words(tmp_path: Path, decoders: Decoders, name: str) -> None:
    whole = await asyncio.to_thread(CUT[name], tmp_path)
    path = tmp_path / "given"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TruncatedAudio, match=r"cut off.*Send the whole file"):
        await decoders.probe(path)


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


@pytest.mark.parametrize("name", LAYOUTS)
async def test_no_layout_is_mixed_to_silence(tmp_path: Path, decoders: Decoders, name: str) -> None:
    make, level = LAYOUTS[name]
    path = tmp_path / "given"
    path.write_bytes(await asyncio.to_thread(make, tmp_path))
    read, rate = await heard(decoders, path)
    found = compare(read, rate, SOUND, RATE)
    assert found.correlation > 0.98
    assert found.level == pytest.approx(level, abs=0.6)


async def test_a_full_mix_is_turned_down_and_not_clipped(tmp_path: Path, decoders: Decoders) -> None:
    loud = np.rint(SOUND * 3.2).astype(np.int16)
    path = tmp_path / "given"
    path.write_bytes(file_of(np.stack([loud] * 6, axis=1)))
    read, _ = await heard(decoders, path)
    assert compare(read, RATE, SOUND, RATE).correlation > 0.995


@pytest.mark.parametrize(
    ("second", "words"),
    [(chirp(0.5, 16_000), "different"), (chirp(0.5, RATE, 2), "different")],
)
@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG"])
async def test_what_cannot_be_joined_is_refused_by_name(
    tmp_path: Path, decoders: Decoders, format: str, second: Samples, words: str
) -> None:
    subtype = "VORBIS" if format == "OGG" else "PCM_16"
    rate = 16_000 if second.ndim == 1 else RATE
    path = tmp_path / "given"
    path.write_bytes(file_of(SOUND, format, subtype) + file_of(second, format, subtype, rate))
    with pytest.raises(UnsupportedFormat, match=words):
        await decoders.probe(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "web page"),
        (b'{"error": {"message": "quota"}}', "JSON"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML"),
        (b"UklGRiQAAABXQVZFZm10IBAAAAAB", "base64"),
        (b"\x1f\x8b\x08\0" + bytes(50), "gzip"),
        (b"PK\x03\x04" + bytes(50), "ZIP"),
        (b"Hello there, this is only a text.", "text"),
        (bytes(3000), "zeros"),
        (b"\0\0\0\x20ftypM4A " + bytes(20) + b"\0\0\0\x08free" * 60_000, "boxes"),
        (b"\0\0\0\x20ftypM4A " + bytes(20) + b"\0\0\0\x08free" * 10, "moov"),
        (b"RIFF\0\0\0\0WAVE" + b"abcd\0\0\0\0" * 20_000, "chunks"),
    ],
)
async def test_a_refusal_says_what_it_is(tmp_path: Path, decoders: Decoders, content: bytes, words: str) -> None:
    path = tmp_path / "given"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=words):
        await decoders.probe(path)
