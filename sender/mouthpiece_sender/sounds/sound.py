"""What a segment's sound is to the gateway: something that can be opened, from any offset, as blocks of PCM."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from mouthpiece.audio.pcm import Pcm
from mouthpiece.segments import AudioInfo


class Sound(Protocol):
    """A sound that can be played more than once (an attempt that failed may be followed by another)."""

    @property
    def info(self) -> AudioInfo:
        """What is known of it before it is opened."""
        ...

    def open(self, offset: float = 0.0) -> AbstractAsyncContextManager[AsyncIterator[Pcm]]:
        """Blocks of its own rate and channels, from ``offset`` seconds on, decoded as they are asked for.

        Leaving the context frees what decodes, at any moment.

        :raises mouthpiece.errors.MouthpieceError: (from the iterator) it cannot be decoded or fetched any further.
        """
        ...
