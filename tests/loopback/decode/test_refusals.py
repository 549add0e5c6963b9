"""What is no sound is refused with its reason, and nothing that is sent does us harm."""

from __future__ import annotations

import asyncio
import random
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mouthpiece.audio.decoders import Decoders
from mouthpiece.errors import AudioError, AudioTooLong, NotAudio, TruncatedAudio, UnsupportedFormat
from mouthpiece_sender.sounds.file import FileSound
from tests.loopback.decode.making import chirp, decoder_processes, write_with_av

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "m4a": ("ipod", "aac"),
    "webm": ("webm", "libopus"),
}


def encoded(folder: Path, name: str, seconds: float = 1.5, rate: int = 48_000) -> bytes:
    path, (container, codec) = folder / f"whole.{name}", FORMATS[name]
    if name in ("m4a", "webm"):
        write_with_av(path, container, codec, chirp(seconds, rate), rate)
    else:
        soundfile.write(path, chirp(seconds, rate), rate, format=container, subtype=codec)
    return path.read_bytes()


def wav(data: bytes, *, rate: int = 16_000, channels: int = 1, bits: int = 16, size: int | None = None) -> bytes:
    """A WAV with a header of the caller's choice."""
    frame = channels * bits // 8
    fmt = struct.pack("<HHIIHH", 1, channels, rate, (rate * frame) & 0xFFFFFFFF, frame & 0xFFFF, bits)
    size = len(data) if size is None else size
    riff = min(size + 36, 0xFFFFFFFF)
    return (
        b"RIFF"
        + struct.pack("<I", riff)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + fmt
        + b"data"
        + struct.pack("<I", size)
        + data
    )


async def probe(decoders: Decoders, folder: Path, content: bytes) -> FileSound:
    path = folder / "given"
    await asyncio.to_thread(path.write_bytes, content)
    return await FileSound.probe(path, decoders)


async def frames(sound: FileSound, offset: float = 0.0) -> int:
    count = 0
    async with sound.open(offset) as blocks:
        async for block in blocks:
            count += block.frames
    return count


@pytest.mark.usefixtures("processes_start_anew")
@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", NotAudio, "0 bytes"),
        (b"x", NotAudio, "not audio"),
        (b"Once upon a time there was a sender. " * 100, NotAudio, "not audio"),
        (bytes(5000), NotAudio, "not audio"),
        (b"%PDF-1.7\n" + bytes(2000), NotAudio, "not audio"),
        (b"#EXTM3U\nhttp://127.0.0.1/secret\n" * 20, NotAudio, "not audio"),
        (b"caff" + bytes(2000), UnsupportedFormat, "CAF"),
        (b"MThd" + bytes(2000), UnsupportedFormat, "MIDI"),
        (wav(b""), NotAudio, "0 s"),
        (wav(bytes(3200))[:30], TruncatedAudio, "cut off"),
        (wav(bytes(3200))[:44], TruncatedAudio, "promises 0.10 s of sound, 0.00 s"),
        (wav(bytes(32_000), rate=16_000, size=64_000), TruncatedAudio, "promises 2.00 s of sound, 1.00 s"),
        (wav(bytes(3200), rate=0), AudioError, None),
        (wav(bytes(3200), rate=100), UnsupportedFormat, "100 Hz"),
        (wav(bytes(3200), rate=4_000_000), UnsupportedFormat, "4000000 Hz"),
        (wav(bytes(3200), channels=0), AudioError, None),
        (wav(bytes(3200), channels=20), UnsupportedFormat, "20 channels"),
        (b"fLaC" + bytes(2000), AudioError, None),
        (b"OggS" + bytes(2000), AudioError, None),
        (b"ID3\x04\0\0\0\0\0\x0a" + bytes(2000), AudioError, None),
        (b"\x1a\x45\xdf\xa3" + bytes(2000), AudioError, None),
        (b"\0\0\0\x20ftypM4A " + bytes(2000), AudioError, None),
    ],
)
async def test_what_is_refused_and_why(
    tmp_path: Path, decoders: Decoders, content: bytes, error: type[AudioError], words: str | None
) -> None:
    with pytest.raises(error, match=words) as caught:
        await probe(decoders, tmp_path, content)
    assert str(caught.value).endswith(".")
    assert "crashed" not in str(caught.value)


async def test_a_picture_is_no_sound(tmp_path: Path, decoders: Decoders) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(3000)
    with pytest.raises(NotAudio):
        await probe(decoders, tmp_path, png)


@pytest.mark.parametrize("made", ["missing", "folder"])
async def test_a_path_without_a_file(tmp_path: Path, decoders: Decoders, made: str) -> None:
    path = tmp_path if made == "folder" else tmp_path / "nothing.wav"
    with pytest.raises(NotAudio, match="cannot be read"):
        await FileSound.probe(path, decoders)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF - 36, 0xFFFFFFFF - 36])
async def test_a_wav_from_a_pipe_that_could_not_know_its_length_is_read_as_far_as_it_goes(
    tmp_path: Path, decoders: Decoders, size: int
) -> None:
    samples = chirp(1.25, 16_000)
    sound = await probe(decoders, tmp_path, wav(samples.tobytes(), size=size))
    assert sound.info.duration == 1.25
    assert await frames(sound) == len(samples)


async def test_a_sound_is_as_long_as_the_limit_at_most(tmp_path: Path) -> None:
    async with Decoders(max_duration=1.0) as decoders:
        await probe(decoders, tmp_path, wav(bytes(32_000)))
        with pytest.raises(AudioTooLong, match="at most 1 s"):
            await probe(decoders, tmp_path, wav(bytes(32_002)))


@pytest.mark.parametrize("name", sorted(FORMATS))
async def test_cut_off_anywhere_it_is_refused_or_read_to_the_end_it_states(
    tmp_path: Path, decoders: Decoders, name: str
) -> None:
    whole = await asyncio.to_thread(encoded, tmp_path, name)
    choice = random.Random(name)
    lengths = [choice.randrange(len(whole)) for _ in range(30)] + [len(whole) - 1, len(whole) // 2]
    refused = 0
    for length in lengths:
        try:
            sound = await probe(decoders, tmp_path, whole[:length])
        except AudioError:
            refused += 1
            continue
        assert sound.info.duration is not None
        assert sound.info.duration <= 1.6
        assert await frames(sound) == pytest.approx(sound.info.duration * sound.info.sample_rate, abs=0.025 * 48_000)
    if name in ("wav", "flac", "m4a"):  # they say how long they are; a piece of an Ogg, a WebM or an MP3 is whole
        assert refused == len(lengths)


@pytest.mark.parametrize("name", sorted(FORMATS))
async def test_damaged_anywhere_it_does_no_harm(tmp_path: Path, decoders: Decoders, name: str) -> None:
    whole = await asyncio.to_thread(encoded, tmp_path, name)
    choice = random.Random(name)
    for _ in range(30):
        damaged = bytearray(whole)
        for _ in range(choice.choice([1, 4, 200])):
            damaged[choice.randrange(min(len(whole), choice.choice([100, len(whole)])))] = choice.randrange(256)
        try:
            await frames(await probe(decoders, tmp_path, bytes(damaged)))
        except AudioError:
            pass
    good = await probe(decoders, tmp_path, whole)
    assert await frames(good) > 0


@pytest.mark.usefixtures("processes_start_anew")
async def test_a_small_file_that_claims_to_be_huge_costs_no_memory(tmp_path: Path, decoders: Decoders) -> None:
    # A FLAC's header may promise 2^36 samples of 8 channels; what is there is 1 s.
    whole = bytearray(await asyncio.to_thread(encoded, tmp_path, "flac"))
    whole[21:26] = b"\x0f" + b"\xff" * 4
    assert await frames(await probe(decoders, tmp_path, bytes(whole))) == 1.5 * 48_000
    assert all(process.memory_info().rss < 200e6 for process in decoder_processes())


async def test_it_reads_no_file_but_the_one_it_was_given(tmp_path: Path, decoders: Decoders) -> None:
    """FFmpeg follows the names in playlists and concatenations; we name the demuxer."""
    secret = tmp_path / "secret.wav"
    await asyncio.to_thread(soundfile.write, secret, np.ones(16_000), 16_000)
    for lure in (f"ffconcat version 1.0\nfile {secret}\n", f"#EXTM3U\n#EXTINF:1,\n{secret}\n", f"file:{secret}"):
        with pytest.raises(NotAudio):
            await probe(decoders, tmp_path, lure.encode())
