"""What is in a file is what is said, however its writer got its header wrong; each kind is from a public report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from mouthpiece.audio.decoders import Decoders
from mouthpiece.errors import AudioError, TruncatedAudio, UnsupportedFormat
from tests.loopback.decode.judging import compare
from tests.loopback.decode.making import Samples, chirp
from tests.loopback.decode.matrix import written
from tests.loopback.decode.odd_writers import CUT, LAYOUTS, RATE, SOUND, WHOLE, file_of, webm_with_hole

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


@pytest.mark.parametrize("name", CUT)
async def test_cut_in_the_middle_it_is_refused_in_words(tmp_path: Path, decoders: Decoders, name: str) -> None:
    whole = await asyncio.to_thread(CUT[name], tmp_path)
    path = tmp_path / "given"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TruncatedAudio, match=r"cut off.*Send the whole file"):
        await decoders.probe(path)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("flac-by-ffmpeg", 6844),  # within the 8 kB that FFmpeg leaves free in the header
        ("flac-by-ffmpeg", 30),
        ("flac-PCM_16", 60),
        ("vorbis", 60),
        ("vorbis", 4034),
        ("opus", 200),
        ("opus", 4051),
    ],
)
async def test_cut_before_its_first_sound_it_is_cut_off_and_not_empty(
    tmp_path: Path, decoders: Decoders, name: str, at: int
) -> None:
    whole = await asyncio.to_thread(written, tmp_path, name, RATE, 1, "file")
    path = tmp_path / "given"
    path.write_bytes(whole[:at])
    with pytest.raises(TruncatedAudio, match=r"cut off.*Send the whole file"):
        await decoders.probe(path)


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
