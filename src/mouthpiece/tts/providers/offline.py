"""The default voice: hibari-tts, an English neural voice inside a wheel; no key, no network.

One model serves the whole process. It takes 0.5 s to load and about 200 MB, and speaks more than a hundred times faster
than real time on one core, so one thread is enough for many rooms. That thread makes one piece of a sentence at a time,
first come first served: a text waits for a piece of another text at most. A piece is bounded in letters and in
phonemes, since time and memory grow with both, and onnxruntime keeps the memory. onnxruntime gets one thread too: a
second one gains little and would be missing for drawing the avatar.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
import unicodedata
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts.audio_format import AudioFormat
from mouthpiece.tts.base import TTS
from mouthpiece.tts.errors import TTSBadText, TTSBadVoice
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.sentences import cut, split
from mouthpiece.tts.voice import Voice

SAMPLE_RATE: Final = 24_000
"""Hertz; hibari-tts 0.2.1."""
_LETTERS: Final = 200
"""Letters of a piece at most: a tenth of a second of work."""
_SOUNDS: Final = 250
"""Phonemes of a piece at most: 200 letters of prose have fewer, 200 digits have a thousand."""
_LONG_NUMBER: Final = re.compile(r"\d(?:,?\d){24,}")
"""A number that is read digit by digit: hibari has no names for over 36 digits, and over 24 are no use as a number."""
_QUIET: Final = 0.004
"""Amplitude, of full scale; hibari's noise before the first sound stays below it."""
_LEAD: Final = round(0.02 * SAMPLE_RATE)
"""Frames kept before the first sound. hibari begins every sentence with 0.3 s of silence; the pause after a sentence
is its own."""


class OfflineTTS(TTS):
    """Speaks English on this machine.

    :param voice: one of ``voices()``.
    :param speed: 0.5 to 2.
    :param seed: the same text with the same seed gives the same sound.
    :raises ConfigurationError: ``speed`` is out of range.
    """

    native_sample_rate = SAMPLE_RATE

    def __init__(self, voice: str = "heart", *, speed: float = 1.0, seed: int = 0) -> None:
        super().__init__("offline")
        self._voice, self._speed, self._seed = voice, _checked(speed), seed

    async def stream_audio(
        self, text: str, *_: Any, voice: str | None = None, speed: float | None = None, **__: Any
    ) -> AsyncIterator[PcmData]:
        """See ``TTS.stream_audio``.

        :raises ConfigurationError: ``speed`` is out of range.
        :raises TTSBadText: most letters of ``text`` are not Latin.
        :raises TTSBadVoice: there is no such voice on this machine.
        """
        pace = self._speed if speed is None else _checked(speed)
        if not _latin(text):
            raise TTSBadText("The offline voice speaks English only. Choose another one, for example espeak.")
        model = await _on_thread(_model, voice or self._voice)
        for piece in split(_LONG_NUMBER.sub(_digits, text), longest=_LETTERS):
            for sounds in await _on_thread(_phonemes, model, piece):
                samples = await _on_thread(_spoken, model, sounds, pace, self._seed)
                yield PcmData(_without_lead(samples), SAMPLE_RATE, 1, AudioFormat.F32)

    async def stop_audio(self) -> None:
        """Nothing to do: the thread finishes the current piece (some tens of milliseconds), which is dropped."""

    async def voices(self) -> list[Voice]:
        """The voices whose model is on this machine: the bundled one, and those that were put into hibari's cache by
        hand. hibari would download the others on their first use."""
        found: list[Voice] = await _on_thread(_installed)
        return found

    async def warm(self) -> None:
        async for _ in self.stream_audio("Ready."):
            pass


def _checked(speed: float) -> float:
    """Accept a speed; time and memory grow with its inverse.

    :raises ConfigurationError: it is out of range.
    """
    if not 0.5 <= speed <= 2.0:
        raise ConfigurationError(f"The offline voice speaks at a speed from 0.5 to 2, not {speed:g}.")
    return speed


@functools.cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="tts-offline")


async def _on_thread(work: Any, *args: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_thread(), work, *args)


@functools.cache
def _model(voice: str) -> Any:
    """The model of a voice; call it on the one thread only.

    :raises TTSBadVoice: there is no such voice on this machine.
    """
    from hibari import Hibari

    if all(voice != known.id for known in _installed()):
        raise TTSBadVoice(f"The offline voice {voice!r} is not installed. Here are: {', '.join(_ids())}.")
    return Hibari(voice=voice, threads=1)


def _ids() -> list[str]:
    return [voice.id for voice in _installed()]


def _installed() -> list[Voice]:
    from hibari.voices import VOICES, voice_path

    def here(name: str) -> bool:
        try:
            return os.path.exists(voice_path(name, download_missing=False))
        except FileNotFoundError:
            return False

    return [
        Voice(name, f"{name.capitalize()} ({entry['accent']}, {entry['gender']})", entry["language"], "offline")
        for name, entry in VOICES.items()
        if here(name)
    ]


def _phonemes(model: Any, piece: str) -> list[str]:
    """The phonemes of ``piece`` in hibari's alphabet, in strings of at most ``_SOUNDS``."""
    out: list[str] = []
    for sounds in model.phonemize(piece):
        while len(sounds) > _SOUNDS:
            end = cut(sounds, _SOUNDS)
            out.append(sounds[:end].rstrip())
            sounds = sounds[end:]
        out.append(sounds)
    return out


def _spoken(model: Any, sounds: str, speed: float, seed: int) -> npt.NDArray[np.float32]:
    samples: npt.NDArray[np.float32] = model.from_phonemes(sounds, speed=speed, seed=seed)
    return samples


def _digits(number: re.Match[str]) -> str:
    """The digits of ``number``, separated by spaces."""
    return " ".join(digit for digit in number[0] if digit != ",")


def _without_lead(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    loud = np.nonzero(np.abs(samples) > _QUIET)[0]
    return samples[max(0, int(loud[0]) - _LEAD) :] if len(loud) else samples


def _latin(text: str) -> bool:
    """Whether at least half of the letters are Latin, or there are none."""
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(letter.isascii() or "LATIN" in unicodedata.name(letter, "") for letter in letters)
    return 2 * latin >= len(letters)
