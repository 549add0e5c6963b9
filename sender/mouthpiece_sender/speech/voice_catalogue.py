"""The list of a provider's voices: asked for with a time limit, and remembered for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

from mouthpiece.errors import MouthpieceError
from mouthpiece.tts import TTSProviderFailed, TTSTimeout, Voice
from mouthpiece_sender.speech.synthesis import TTSPool

logger = logging.getLogger(__name__)

LIST_WITHIN: Final = 3.0
"""Seconds that a provider may take to list its voices."""
BELIEVED_FOR: Final = 300.0
"""Seconds until a provider that answered is asked again."""
FAILED_FOR: Final = 30.0
"""Seconds until a provider that failed to answer is asked again."""

Result = TypeVar("Result")


class Owner(Protocol):
    """Runs ``work`` in a task, keeps the task until it has ended, and retrieves its exception."""

    def __call__(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]: ...


class VoiceCatalogue:
    """The voices of one provider.

    :param own: runs the tasks that ask the provider; they are cancelled when their owner closes.
    :param clock: seconds, monotonic.
    """

    def __init__(self, pool: TTSPool, own: Owner, clock: Callable[[], float]) -> None:
        self._pool = pool
        self._own = own
        self._clock = clock
        self._answer: asyncio.Task[Sequence[Voice]] | None = None
        self._until = float("-inf")

    def ask(self) -> asyncio.Task[Sequence[Voice]]:
        """A task whose result is the list; one that is recent or under way is used again.

        Await it with ``asyncio.shield``, since several callers share it. It ends within ``LIST_WITHIN``, and raises
        ``MouthpieceError`` if the provider failed to answer.
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
            asking.cancel()  # and it is not awaited: it may ignore that
            logger.warning("the voices of %s are not listed: %s", self._pool.name, failure)
            raise failure
        return asking.result()

    def _failure(self, asking: asyncio.Task[list[Voice]]) -> MouthpieceError | None:
        name = self._pool.name
        if not asking.done():
            return TTSTimeout(f"The voice {name!r} did not list its voices within {LIST_WITHIN:g} s.")
        if asking.cancelled():
            return TTSProviderFailed(f"The voice {name!r} was cancelled from inside.")
        error = asking.exception()
        if error is None or isinstance(error, MouthpieceError):
            return error
        return TTSProviderFailed(f"The voice {name!r} failed to list its voices ({type(error).__name__}).")
