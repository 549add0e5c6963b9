"""The sound of a segment: anything that can be opened, at any offset, as blocks of PCM."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from mouthpiece.audio.pcm import Pcm
from mouthpiece.segments import AudioInfo


class Sound(Protocol):
    """A sound that can be opened more than once: a failed attempt to play it may be followed by another."""

    @property
    def info(self) -> AudioInfo:
        """Its sample rate, channels and, as far as it is known by now, duration."""
        ...

    def open(self, offset: float = 0.0) -> AbstractAsyncContextManager[AsyncIterator[Pcm]]:
        """Open it: an iterator over blocks in its own rate, mono or of its own channels, from ``offset`` seconds on,
        decoded as they are read.

        Leaving the context releases the decoder, at any moment.

        :raises mouthpiece.errors.MouthpieceError: (from the iterator) it cannot be decoded or fetched any further.
        """
        ...
