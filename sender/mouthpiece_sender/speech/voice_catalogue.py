"""Which voices a provider has, by its own word: it is given a time to tell them, and is not asked again too soon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

from mouthpiece.errors import MouthpieceError
from mouthpiece.tts import TTSProviderFailed, TTSTimeout, Voice
from mouthpiece_sender.speech.synthesis import VoicePool

logger = logging.getLogger(__name__)

LIST_WITHIN: Final = 3.0
"""Seconds that a provider may take to tell its voices."""
BELIEVED_FOR: Final = 300.0
"""Seconds until it is asked again."""
FAILED_FOR: Final = 30.0
"""Seconds until one that did not tell is asked again."""

Result = TypeVar("Result")


class Owner(Protocol):
    """Keeps a task until it has ended, and sees its error."""

    def __call__(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]: ...


class VoiceList:
    """The list of one provider.

    :param own: begins what asks, and ends it with whoever asks.
    :param clock: seconds, monotonic.
    """

    def __init__(self, pool: VoicePool, own: Owner, clock: Callable[[], float]) -> None:
        self._pool = pool
        self._own = own
        self._clock = clock
        self._answer: asyncio.Task[Sequence[Voice]] | None = None
        self._until = float("-inf")

    def ask(self) -> asyncio.Task[Sequence[Voice]]:
        """The answer: that of a moment ago, of whoever is asking already, or a new one. It comes in time and for
        several, so wait for it with ``asyncio.shield``; it raises ``MouthpieceError`` where the provider does not tell.
        """
        if self._answer is None or (self._answer.done() and self._clock() >= self._until):
            self._answer = self._own(self._ask())
        return self._answer

    async def _ask(self) -> Sequence[Voice]:
        asking = self._own(self._pool.voices())
        await asyncio.wait([asking], timeout=LIST_WITHIN)
        failure = self._failure(asking)
        self._until = self._clock() + (BELIEVED_FOR if failure is None else FAILED_FOR)
        if failure is not None:
            asking.cancel()  # where it goes on: one that does not let go keeps nobody waiting
            logger.warning("the voices of %s are not listed: %s", self._pool.name, failure)
            raise failure
        return asking.result()

    def _failure(self, asking: asyncio.Task[list[Voice]]) -> MouthpieceError | None:
        name = self._pool.name
        if not asking.done():
            return TTSTimeout(f"The voice {name!r} did not tell its voices within {LIST_WITHIN:g} s.")
        if asking.cancelled():
            return TTSProviderFailed(f"The voice {name!r} was cancelled from inside.")
        error = asking.exception()
        if error is None or isinstance(error, MouthpieceError):
            return error
        return TTSProviderFailed(f"The voice {name!r} failed to tell its voices ({type(error).__name__}).")
