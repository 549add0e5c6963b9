"""Which sounds are brought to one loudness, and what of them stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import AudioError, ConfigurationError, MouthpieceError
from mouthpiece.segments import AudioInfo
from mouthpiece_sender.sounds.cues import Cue, HasCues
from mouthpiece_sender.sounds.levelled import levelled
from mouthpiece_sender.sounds.live import LiveSound
from mouthpiece_sender.sounds.sound import Sound
from tests.sounds import Tone


class Breaking(Tone):
    """Breaks off after all of it."""

    @asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        async def blocks() -> AsyncIterator[Pcm]:
            yield Pcm(self.samples, self.info.sample_rate)
            raise AudioError("broke off")

        yield blocks()


class ToneOfWords(Tone):
    cues = (Cue(0.0, "Hello.", 0),)


async def frames(sound: Sound, offset: float = 0.0) -> int:
    async with sound.open(offset) as blocks:
        return sum([block.frames async for block in blocks])


async def test_it_is_as_long_as_it_was() -> None:
    sound = levelled(Tone(4.0), -16.0)
    assert sound.info == AudioInfo(16_000, 1, 4.0)
    assert await frames(sound) == 64_000
    assert await frames(sound, 1.0) == 48_000


async def test_a_sound_that_breaks_off_is_heard_as_far_as_it_came() -> None:
    seen: list[Pcm] = []
    async with levelled(Breaking(1.0), -16.0).open() as blocks:
        with pytest.raises(MouthpieceError, match="broke off"):
            seen.extend([block async for block in blocks])
    async with levelled(Breaking(1.0), -16.0).open() as blocks:
        assert (await anext(blocks)).frames > 0


def test_sentences_stay_known_and_what_still_arrives_stays_as_it_is() -> None:
    speech = levelled(ToneOfWords(1.0), -16.0)
    assert isinstance(speech, HasCues)
    assert speech.cues == ToneOfWords.cues
    assert not isinstance(levelled(Tone(1.0), -16.0), HasCues)
    live = LiveSound(16_000, 1, "s16le")
    assert levelled(live, -16.0) is live
    tone = Tone(1.0)
    assert levelled(tone, None) is tone


async def test_a_quiet_sound_comes_out_louder() -> None:
    tone = Tone(4.0)
    tone.samples = (tone.samples * 0.02).astype(np.int16)
    async with levelled(tone, -16.0).open() as blocks:
        loud = np.concatenate([block.samples async for block in blocks])
    assert np.abs(loud).max() > 5 * np.abs(tone.samples).max()


def test_a_target_is_off_or_a_number() -> None:
    from mouthpiece.audio.loudness import loudness_of

    assert [loudness_of(text) for text in (None, "", "off", "Off", "-16", "-23.5")] == [
        None,
        None,
        None,
        None,
        -16,
        -23.5,
    ]
    with pytest.raises(ConfigurationError):
        loudness_of("16")
