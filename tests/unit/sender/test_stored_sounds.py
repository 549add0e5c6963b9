"""The sounds of stored segments."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mouthpiece.audio.decoders import Decoders
from mouthpiece.errors import NotAudio, SoundNotKept
from mouthpiece.segments import AudioInfo, Segment, Source
from mouthpiece.tts import TTSBadVoice
from mouthpiece_sender.sounds.cues import HasCues
from mouthpiece_sender.sounds.file import FileSound, PcmFileSound
from mouthpiece_sender.speech.voices import Voices
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.stored_sounds import LaterSpeech, StoredSounds, _byte_order
from tests.sounds import Tone


class FakeSpeech:
    def __init__(self, *, broken: bool = False) -> None:
        self.asked: list[tuple[str, str | None, str | None]] = []
        self.broken = broken

    async def sound(
        self, text: str, *, voice: str | None, tts: str | None, text_format: str
    ) -> tuple[Tone, str | None]:
        assert text_format == "plain"
        self.asked.append((text, voice, tts))
        if self.broken:
            raise TTSBadVoice("There is no such voice any more.")
        return Tone(1.0), voice


class NoDecoders:
    """Knows no format."""

    async def probe(self, path: Path) -> AudioInfo:
        raise NotAudio("In no known format.")


def segment(source: Source, **more: Any) -> Segment:
    return Segment(
        id="seg_1",
        room="demo",
        source=source,
        audio=AudioInfo(16_000, 1, 0.5),
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        **more,
    )


def sounds(folder: Path, voices: FakeSpeech | None = None) -> StoredSounds:
    return StoredSounds(Spool(folder), cast(Decoders, NoDecoders()), cast(Voices, voices or FakeSpeech()))


async def test_a_text_asks_for_its_voice_when_it_is_opened_and_once(tmp_path: Path) -> None:
    voices = FakeSpeech()
    said = segment(Source("text", text="Hello.", voice="heart", tts="offline"))
    sound = await sounds(tmp_path, voices).sound(said)
    assert isinstance(sound, LaterSpeech)
    assert isinstance(sound, HasCues)
    assert (sound.info, list(sound.cues), voices.asked) == (said.audio, [], [])
    for offset in (0.0, 0.5):
        async with sound.open(offset) as blocks:
            assert [block async for block in blocks]
    assert voices.asked == [("Hello.", "heart", "offline")]
    assert sound.info == Tone(1.0).info


async def test_a_voice_that_is_gone_is_said_when_it_is_opened(tmp_path: Path) -> None:
    sound = await sounds(tmp_path, FakeSpeech(broken=True)).sound(segment(Source("text", text="Hello.")))
    with pytest.raises(TTSBadVoice):
        async with sound.open():
            pass


@pytest.mark.parametrize(("encoding", "kind"), [("container", FileSound), ("s16le", PcmFileSound)])
async def test_a_file_is_what_it_was_stored_as_without_being_read(tmp_path: Path, encoding: Any, kind: type) -> None:
    (tmp_path / "seg_1").write_bytes(b"whatever")
    sound = await sounds(tmp_path).sound(segment(Source("file", encoding=encoding)))
    assert isinstance(sound, kind)
    assert sound.info == AudioInfo(16_000, 1, 0.5)


@pytest.mark.parametrize("order", ["<", ">"])
async def test_samples_whose_order_is_not_known_are_read_as_they_sound(tmp_path: Path, order: str) -> None:
    samples = Tone(0.5).samples
    (tmp_path / "seg_1").write_bytes(samples.astype(f"{order}i2").tobytes())
    sound = await sounds(tmp_path).sound(segment(Source("file")))
    async with sound.open() as blocks:
        heard = [block.samples async for block in blocks]
    assert np.array_equal(np.concatenate(heard), samples)


async def test_what_is_no_longer_stored_is_not_kept(tmp_path: Path) -> None:
    for source in (Source("file"), Source("live"), Source("text")):
        with pytest.raises(SoundNotKept, match="seg_1"):
            await sounds(tmp_path).sound(segment(source))


@given(data=st.binary(max_size=50))
def test_any_bytes_have_an_order(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "bytes"
    file.write_bytes(data)
    assert _byte_order(file) in ("s16le", "s16be")
