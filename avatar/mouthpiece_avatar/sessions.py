"""All sessions of this process: starts, lists and ends them, and forgets those that have ended."""

from __future__ import annotations

import asyncio
import copy
import logging
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from mouthpiece.errors import MouthpieceError, QueueFull
from mouthpiece.wire import StartAvatar
from mouthpiece_avatar.conduct import Conduct
from mouthpiece_avatar.renderer import Renderer
from mouthpiece_avatar.session import Session
from mouthpiece_avatar.token import Claims

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all sessions since the start, by label."""

    streams: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    pictures: Counter[str] = field(default_factory=Counter)
    delivery: Counter[str] = field(default_factory=Counter)

    def add(self, session: Session) -> None:
        self.streams.update(session.receiver.counts)
        self.delivered.update(session.receipts.delivered)
        self.dropped.update(session.receipts.dropped)
        self.delivery.update(session.publisher.delivery)
        self.pictures.update(sent=session.publisher.pictures.sent, late=session.publisher.pictures.late)


class Sessions:
    """``async with`` ends every session at its end."""

    def __init__(
        self,
        make_renderer: Callable[[str], Awaitable[Renderer]],
        *,
        limit: int,
        make_conduct: Callable[[], Conduct] = Conduct,
        alone: float = 0,
    ) -> None:
        """
        :param make_renderer: makes the renderer for an avatar's id.
        :param make_conduct: makes the conduct of one session.
        :param alone: see :class:`Session`.
        """
        self._alone = alone
        self._make_conduct = make_conduct
        self._make_renderer = make_renderer
        self._limit = limit
        self._running: dict[str, tuple[Session, asyncio.Task[None]]] = {}
        self.ended: Counter[str] = Counter()
        """By reason."""
        self._past = Totals()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        tasks = [task for _, task in self._running.values()]
        await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """End every session, also that of an avatar which has not joined yet, so that nobody waits for it."""
        for session in self.all():
            session.end("the avatar server stops")

    def totals(self) -> Totals:
        totals = copy.deepcopy(self._past)
        for session in self.all():
            totals.add(session)
        return totals

    def all(self) -> list[Session]:
        return [session for session, _ in self._running.values()]

    async def start(self, request: StartAvatar, claims: Claims) -> Session:
        """Return once the avatar has joined. An older one of the same identity in the same room ends.

        :raises QueueFull: as many sessions run as may.
        :raises RoomError: LiveKit did not let the avatar in.
        :raises AvatarStartFailed: its renderer cannot be made.
        """
        renderer = await self._make_renderer(request.avaluma_avatar_id)
        older = [
            session for session in self.all() if session.joined.is_set() and session.is_same_place(request, claims)
        ]
        if len(self._running) - len(older) >= self._limit:
            await renderer.aclose()
            raise QueueFull("this avatar server has no place for one more room: try again when a session has ended")
        session = Session(
            f"ses_{uuid.uuid4().hex[:16]}",
            request,
            claims,
            renderer,
            conduct=self._make_conduct(),
            alone=self._alone,
        )
        task = asyncio.create_task(session.run(), name=session.id)
        self._running[session.id] = session, task
        task.add_done_callback(lambda _: self._over(session, task))
        joined = asyncio.create_task(session.joined.wait())
        try:
            await asyncio.wait((task, joined), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            session.end("nobody waited for it")
            raise
        finally:
            joined.cancel()
        if not session.joined.is_set():
            await task  # raises why
        for other in older:
            other.end("another avatar joined under its identity")
        logger.info("an avatar joined", extra={"session": session.id})
        return session

    async def end(self, session_id: str) -> bool:
        """End a session and wait until its avatar has left; return whether there was one."""
        found = self._running.get(session_id)
        if found is None:
            return False
        session, task = found
        session.end("ended by request")
        await asyncio.wait({task})
        return True

    def _over(self, session: Session, task: asyncio.Task[None]) -> None:
        del self._running[session.id]
        self._past.add(session)
        error = None if task.cancelled() else task.exception()
        reason = session.reason or "failed"
        self.ended[reason] += 1
        if error is not None and not isinstance(error, MouthpieceError):
            logger.error("a session failed", exc_info=error, extra={"session": session.id})
        else:
            logger.info("a session ended: %s", reason, extra={"session": session.id})
