"""The sound of a segment whose sound is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import MouthpieceError
from mouthpiece.segments import AudioInfo


class UnplayableSound:
    """Fails as soon as it is opened, with ``error``."""

    def __init__(self, info: AudioInfo, error: MouthpieceError) -> None:
        self.info = info
        self._error = error

    def open(self, offset: float = 0.0) -> AbstractAsyncContextManager[AsyncIterator[Pcm]]:
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[AsyncIterator[Pcm]]:
        """:raises MouthpieceError: always."""
        raise self._error
        yield
