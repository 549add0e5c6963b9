"""Files as odd programs write them: what is in them is heard, or a refusal says what they are."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from mouthpiece.audio.decoders import Decoders
from mouthpiece.errors import AudioError
from tests.loopback.decode.judging import compare
from tests.loopback.decode.making import Samples, chirp, write_with_av

RATE = 16_000
CHIRP = chirp(1.0, RATE)


def wav(format: bytes, data: bytes, after: bytes = b"") -> bytes:
    chunks = (
        b"WAVEfmt " + struct.pack("<I", len(format)) + format + b"data" + struct.pack("<I", len(data)) + data + after
    )
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def pcm(bits: int, frame: int, tag: int = 1) -> bytes:
    return struct.pack("<HHIIHH", tag, 1, RATE, RATE * frame, frame, bits)


def written(samples: npt.NDArray[np.int16], rate: int, kind: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind)
    return file.getvalue()


def id3(stated: int, size: int) -> bytes:
    return b"ID3\4\0\0" + bytes(stated >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


TWICE = np.concatenate([CHIRP, CHIRP])
PLAIN = wav(pcm(16, 2), CHIRP.tobytes())
MP3 = written(CHIRP, RATE, "MP3")
STEREO_MP3 = written(np.stack([CHIRP, CHIRP], axis=1), RATE, "MP3")
APE = b"APETAGEX" + struct.pack("<IIII", 2000, 40, 0, 0xA000_0000) + bytes(8 + 40)

HEARD = {
    "24 bits in 32": (wav(pcm(24, 4), (CHIRP.astype(np.int32) << 16).tobytes()), CHIRP),
    "20 bits in 24": (wav(pcm(20, 3), np.stack([CHIRP * 0, CHIRP], 1).view(np.uint8)[:, 1:].tobytes()), CHIRP),
    "a frame of no bytes": (wav(pcm(16, 0), CHIRP.tobytes()), CHIRP),
    "two data chunks": (
        wav(pcm(16, 2), CHIRP.tobytes(), b"data" + struct.pack("<I", 2 * len(CHIRP)) + CHIRP.tobytes()),
        TWICE,
    ),
    "an APE tag before an MP3": (APE + MP3, CHIRP),
    "an ID3 tag that is shorter than it says": (id3(127, 10) + MP3, CHIRP),
    "an ID3 tag that is longer than the file": (id3(0xFFF_FFFF, 10) + MP3, CHIRP),
}


@pytest.mark.parametrize("name", HEARD)
async def test_what_is_in_it_is_heard(tmp_path: Path, decoders: Decoders, name: str) -> None:
    content, samples = HEARD[name]
    heard, info = await decoded(decoders, tmp_path, content)
    assert info == pytest.approx(len(samples) / RATE, abs=0.02)
    likeness = compare(heard, RATE, samples, RATE)
    assert likeness.correlation > 0.99
    assert abs(likeness.level) < 0.3


def refused() -> dict[str, tuple[bytes, str]]:
    return {
        "MP3s of two rates": (MP3 + written(chirp(1.0, 44_100), 44_100, "MP3"), "MP3 files of different rates"),
        "mono and stereo MP3s": (MP3 + STEREO_MP3, "MP3 files of different rates or channels"),
        "an MP3 and a WAV": (MP3 + PLAIN, "different formats (MP3, WAV)"),
        "a WAV and an MP3": (PLAIN + MP3, "different formats (WAV, MP3)"),
        "a WAV and an MP3 with a tag": (PLAIN + id3(10, 10) + MP3, "different formats (WAV, MP3)"),
        "half floats": (wav(pcm(16, 2, 3), CHIRP.tobytes()), "coded in a way that is not known"),
        "samples of no bits": (wav(pcm(0, 2), CHIRP.tobytes()), "coded in a way that is not known"),
    }


@pytest.mark.parametrize("name", refused())
async def test_what_cannot_be_said_whole_is_refused(tmp_path: Path, decoders: Decoders, name: str) -> None:
    content, words = refused()[name]
    (tmp_path / "sound").write_bytes(content)
    with pytest.raises(AudioError, match=re.escape(words)):
        await decoders.probe(tmp_path / "sound")


async def test_aac_files_of_two_rates_are_refused(tmp_path: Path, decoders: Decoders) -> None:
    for rate in (RATE, 44_100):
        write_with_av(tmp_path / f"{rate}", "adts", "aac", chirp(1.0, rate), rate)
    (tmp_path / "sound").write_bytes((tmp_path / f"{RATE}").read_bytes() + (tmp_path / "44100").read_bytes())
    with pytest.raises(AudioError, match="AAC files of different rates"):
        await decoders.probe(tmp_path / "sound")


async def decoded(decoders: Decoders, folder: Path, content: bytes) -> tuple[Samples, float]:
    (folder / "sound").write_bytes(content)
    info = await decoders.probe(folder / "sound")
    async with decoders.open(folder / "sound", info) as blocks:
        heard = [block.samples async for block in blocks]
    return np.concatenate(heard), info.duration or 0.0
