"""A sound that is written while it is read: what comes out is what was written, however it was cut."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from mouthpiece.errors import AudioError, MouthpieceError, SoundNotKept
from mouthpiece_sender.sounds.live import AHEAD, KEPT, LiveSound, SampleFormat

WAVE = np.rint(10_000 * np.sin(np.arange(3_000) / 7)).astype(np.int16)


def encoded(samples: np.ndarray, sample_format: SampleFormat) -> bytes:
    match sample_format:
        case "s16le":
            return samples.astype("<i2").tobytes()
        case "s16be":
            return samples.astype(">i2").tobytes()
        case "s24le":
            return b"".join(b"\x7f" + int(sample).to_bytes(2, "little", signed=True) for sample in samples.reshape(-1))
        case "s32le":
            return (samples.astype("<i4") << 16).tobytes()
        case "f32le":
            return (samples / np.float32(32_768)).astype("<f4").tobytes()


async def read(sound: LiveSound, offset: float = 0.0) -> np.ndarray:
    async with sound.open(offset) as blocks:
        return np.concatenate([block.samples async for block in blocks], axis=-1)


@pytest.mark.parametrize("sample_format", ["s16le", "s16be", "s24le", "s32le", "f32le"])
@pytest.mark.parametrize("size", [1, 7, 5_000])
async def test_what_is_written_is_read(sample_format: SampleFormat, size: int) -> None:
    sound = LiveSound(8_000, 1, sample_format)
    data = encoded(WAVE, sample_format)
    reading = asyncio.create_task(read(sound))
    for at in range(0, len(data), size):
        await sound.feed(data[at : at + size])
    assert sound.info.duration is None
    sound.end()
    assert np.array_equal(await reading, WAVE)
    assert sound.info.duration == len(WAVE) / 8_000
    assert np.array_equal(await read(sound, 0.125), WAVE[1_000:])


async def test_channels_stay_apart() -> None:
    sound = LiveSound(8_000, 2, "s16le")
    both = np.stack([WAVE, -WAVE], axis=1)
    await sound.feed(encoded(both, "s16le"))
    sound.end()
    assert np.array_equal(await read(sound), both.T)


async def test_an_error_follows_what_came() -> None:
    sound = LiveSound(8_000, 1, "s16le")
    await sound.feed(encoded(WAVE, "s16le"))
    sound.end(AudioError("gone"))
    sound.end()
    async with sound.open() as blocks:
        assert (await anext(blocks)).frames == len(WAVE)
        with pytest.raises(MouthpieceError, match="gone"):
            await anext(blocks)


async def test_whoever_writes_waits_for_whoever_reads_and_what_was_read_long_ago_is_dropped() -> None:
    sound = LiveSound(1_000, 1, "s16le")
    second = bytes(2_000)
    for _ in range(int(AHEAD)):
        await asyncio.wait_for(sound.feed(second), 1)
    waiting = asyncio.create_task(sound.feed(second))
    await asyncio.sleep(0)
    assert not waiting.done()
    reading = asyncio.create_task(read(sound))
    await waiting
    for _ in range(int(KEPT) + 10):
        await sound.feed(second)
    sound.end()
    await reading
    with pytest.raises(SoundNotKept):
        await read(sound)
    assert len(await read(sound, 20.0)) > 40_000
