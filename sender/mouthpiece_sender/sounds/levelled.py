"""Sounds of one loudness (``MOUTHPIECE_LOUDNESS``)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from mouthpiece.audio.loudness import Loudness
from mouthpiece.audio.mix import MixDown
from mouthpiece.audio.pcm import Chain, Pcm
from mouthpiece.errors import MouthpieceError
from mouthpiece.segments import AudioInfo
from mouthpiece_sender.sounds.cues import Cue, HasCues
from mouthpiece_sender.sounds.live import LiveSound
from mouthpiece_sender.sounds.sound import Sound


class LevelledSound:
    """``sound`` at ``target`` LUFS, mono, and as long as it was."""

    def __init__(self, sound: Sound, target: float) -> None:
        self._sound, self._target = sound, target

    @property
    def info(self) -> AudioInfo:
        return self._sound.info

    @contextlib.asynccontextmanager
    async def open(self, offset: float = 0.0) -> AsyncIterator[AsyncIterator[Pcm]]:
        """See ``Sound.open``."""
        async with self._sound.open(offset) as blocks:
            yield self._levelled(blocks)

    async def _levelled(self, blocks: AsyncIterator[Pcm]) -> AsyncIterator[Pcm]:
        chain = Chain(MixDown(), Loudness(self._target))
        broken: MouthpieceError | None = None
        try:
            async for block in blocks:
                for levelled in await asyncio.to_thread(chain.push, block):
                    yield levelled
        except MouthpieceError as error:
            broken = error
        for levelled in await asyncio.to_thread(chain.flush):
            yield levelled
        if broken is not None:
            raise broken


class LevelledSpeech(LevelledSound):
    """The same of a sound whose sentences are known."""

    def __init__(self, sound: Sound, cues: HasCues, target: float) -> None:
        super().__init__(sound, target)
        self._cues = cues

    @property
    def cues(self) -> Sequence[Cue]:
        return self._cues.cues


def levelled(sound: Sound, target: float | None) -> Sound:
    """``sound`` at ``target`` LUFS; as it is where that is None, and where it still arrives: 3 s would be held back."""
    if target is None or isinstance(sound, LiveSound):
        return sound
    return LevelledSpeech(sound, sound, target) if isinstance(sound, HasCues) else LevelledSound(sound, target)
