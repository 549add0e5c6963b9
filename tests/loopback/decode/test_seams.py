"""A sound that is read on from a place, by another process or after a pause, goes on as if nobody had left it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from mouthpiece.audio.decoders import Decoders
from mouthpiece.segments import AudioInfo
from tests.loopback.decode.making import Samples, decoder_processes, write_with_av

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATE = 16_000
SECONDS = 30
ASSETS = Path(__file__).parents[3] / "assets"
SPEECH = ASSETS / "lighthouse_16kHz.wav"
THROUGH_SNDFILE = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
THROUGH_AV = {"webm": ("webm", "libopus"), "m4a": ("ipod", "aac"), "adts": ("adts", "aac")}
WITHIN = {"opus": 8, "m4a": 600}
"""Of 32,768; 1 elsewhere. A decoder of AAC puts noise of its own where the encoder had left noise out."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def decoders() -> AsyncIterator[Decoders]:
    async with Decoders() as decoders:
        yield decoders


def speech_as(folder: Path, name: str) -> Path:
    samples, _ = soundfile.read(SPEECH, frames=SECONDS * RATE, dtype="int16")
    path = folder / name
    if name in THROUGH_AV:
        write_with_av(path, *THROUGH_AV[name], samples, RATE)
    else:
        format, subtype = THROUGH_SNDFILE[name]
        source = samples if name in ("wav", "flac") else samples / 32_768
        soundfile.write(path, source, RATE, format=format, subtype=subtype)
    return path


async def read(
    decoders: Decoders, path: Path, info: AudioInfo, offset: float = 0.0, blocks: int | None = None
) -> Samples:
    """From ``offset`` seconds on; all, or so many blocks."""
    found: list[Samples] = []
    async with decoders.open(path, info, offset) as opened:
        async for block in opened:
            found.append(block.samples)
            if len(found) == blocks:
                break
    return np.concatenate(found)


def differs(one: Samples, other: Samples) -> int:
    assert len(one) == len(other)
    return int(np.abs(one.astype(int) - other).max())


@pytest.mark.parametrize("name", [*THROUGH_SNDFILE, *THROUGH_AV])
async def test_from_any_place_on_it_is_the_same_sound(tmp_path: Path, decoders: Decoders, name: str) -> None:
    path = await asyncio.to_thread(speech_as, tmp_path, name)
    info = await decoders.probe(path)
    whole = await read(decoders, path, info)
    chance = np.random.default_rng(5)
    for offset in chance.uniform(0, SECONDS - 2, 12):
        piece = await read(decoders, path, info, offset, 2)
        start = round(offset * info.sample_rate)
        assert differs(piece, whole[start : start + len(piece)]) <= WITHIN.get(name, 1), offset


async def test_so_it_is_on_the_last_page_of_a_vorbis_file(decoders: Decoders) -> None:
    path = ASSETS / "greeting_48kHz.ogg"
    info = await decoders.probe(path)
    whole = await read(decoders, path, info)
    assert info.duration is not None
    for back in (0.2, 0.4, 0.5, 0.6, 0.7, 1.0):
        piece = await read(decoders, path, info, info.duration - back)
        assert differs(piece, whole[-len(piece) :]) <= 1, back


@pytest.mark.usefixtures("processes_start_anew")
@pytest.mark.parametrize("name", ["vorbis", "opus", "mp3", "webm", "m4a"])
async def test_another_process_reads_on_without_a_seam(tmp_path: Path, name: str) -> None:
    path = await asyncio.to_thread(speech_as, tmp_path, name)
    found: list[Samples] = []
    readers: set[int] = set()
    async with Decoders() as decoders:
        info = await decoders.probe(path)
        whole = await read(decoders, path, info)
        async with decoders.open(path, info) as blocks:
            async for block in blocks:
                found.append(block.samples)
                if len(found) in (3, 8, 13, 18):
                    reading = [process for process in decoder_processes() if process.cmdline()[-1] != "probing"]
                    readers |= {process.pid for process in reading}
                    for process in reading:
                        process.kill()
    assert len(readers) >= 4
    assert differs(np.concatenate(found), whole) <= WITHIN.get(name, 1)
