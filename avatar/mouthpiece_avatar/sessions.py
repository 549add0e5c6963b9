"""All sessions of this process: starts, lists and ends them, and forgets those that have ended."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Self

from mouthpiece.errors import MouthpieceError, QueueFull
from mouthpiece.wire import StartAvatar
from mouthpiece_avatar.conduct import Conduct
from mouthpiece_avatar.hosting import Figures, Totals
from mouthpiece_avatar.renderer import Renderer
from mouthpiece_avatar.session import Session
from mouthpiece_avatar.token import Claims

logger = logging.getLogger(__name__)


FULL: Final = "this avatar server has no place for one more room: try again when a session has ended"


def new_session_id() -> str:
    return f"ses_{uuid.uuid4().hex[:16]}"


class Sessions:
    """A :class:`SessionHost` in this process. ``async with`` ends every session at its end."""

    def __init__(
        self,
        make_renderer: Callable[[str], Awaitable[Renderer]],
        *,
        limit: int,
        make_conduct: Callable[[], Conduct] = Conduct,
        alone: float = 0,
        on_end: Callable[[str, str], None] = lambda _, __: None,
    ) -> None:
        """
        :param make_renderer: makes the renderer for an avatar's id.
        :param make_conduct: makes the conduct of one session.
        :param alone: see :class:`Session`.
        :param on_end: called with the id of a session that has ended, and why it has.
        """
        self._on_end = on_end
        self._alone = alone
        self._make_conduct = make_conduct
        self._make_renderer = make_renderer
        self._limit = limit
        self._running: dict[str, tuple[Session, asyncio.Task[None]]] = {}
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

    @property
    def running(self) -> int:
        return len(self._running)

    async def figures(self) -> Figures:
        totals = Totals()
        totals.update(self._past)
        for session in self.all():
            totals.update(_totals(session))
        return Figures([session.info() for session in self.all()], totals)

    def all(self) -> list[Session]:
        return [session for session, _ in self._running.values()]

    async def start(self, request: StartAvatar, claims: Claims, *, session_id: str | None = None) -> Session:
        """See :class:`SessionHost`; ``session_id`` is one of the caller's choice."""
        renderer = await self._make_renderer(request.avaluma_avatar_id)
        older = self.replaced(request, claims)
        if len(self._running) - len(older) >= self._limit:
            await renderer.aclose()
            raise QueueFull(FULL)
        session = Session(
            session_id or new_session_id(),
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
        self.end_replaced(older)
        logger.info("an avatar joined", extra={"session": session.id})
        return session

    def replaced(self, request: StartAvatar, claims: Claims) -> list[Session]:
        """Return those that end once another session has joined at their place."""
        return [session for session in self.all() if session.joined.is_set() and session.is_same_place(request, claims)]

    def end_replaced(self, older: Sequence[Session]) -> None:
        for session in older:
            session.end("another avatar joined under its identity")

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
        self._past.update(_totals(session))
        error = None if task.cancelled() else task.exception()
        reason = session.reason or "failed"
        self._past.ended[reason] += 1
        if error is not None and not isinstance(error, MouthpieceError):
            logger.error("a session failed", exc_info=error, extra={"session": session.id})
        else:
            logger.info("a session ended: %s", reason, extra={"session": session.id})
        self._on_end(session.id, reason)


def _totals(session: Session) -> Totals:
    pictures = session.publisher.pictures
    return Totals(
        streams=session.receiver.counts,
        delivered=session.receipts.delivered,
        dropped=session.receipts.dropped,
        pictures=Counter(sent=pictures.sent, late=pictures.late),
        delivery=session.publisher.delivery,
    )
