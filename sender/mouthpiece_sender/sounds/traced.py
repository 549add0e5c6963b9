"""Sounds that are read under the trace of their segment."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

from mouthpiece.audio.pcm import Pcm
from mouthpiece.process.spans import Trace, working_for
from mouthpiece.segments import AudioInfo
from mouthpiece_sender.sounds.cues import Cue, HasCues
from mouthpiece_sender.sounds.live import LiveSound
from mouthpiece_sender.sounds.sound import Sound


class TracedSound:
    """``sound``; whatever decodes or synthesises it works for ``trace``."""

    def __init__(self, sound: Sound, trace: Trace) -> None:
        self._sound, self._trace = sound, trace

    @property
    def info(self) -> AudioInfo:
        return self._sound.info

    @contextlib.asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        """See ``Sound.open``."""
        with working_for(self._trace), self._trace.span("sound"):
            async with self._sound.open(offset) as blocks:
                yield blocks


class TracedSpeech(TracedSound):
    """The same of a sound whose sentences are known."""

    def __init__(self, sound: Sound, cues: HasCues, trace: Trace) -> None:
        super().__init__(sound, trace)
        self._cues = cues

    @property
    def cues(self) -> Sequence[Cue]:
        return self._cues.cues


def traced(sound: Sound, trace: Trace | None) -> Sound:
    """``sound`` under ``trace``; as it is where that is None, and where it still arrives: nothing is made of it."""
    if trace is None or isinstance(sound, LiveSound):
        return sound
    return TracedSpeech(sound, sound, trace) if isinstance(sound, HasCues) else TracedSound(sound, trace)
