"""Sessions in the server's own process, until it is worn: then in one beside it, which is replaced as it wears out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from mouthpiece.wire import StartAvatar
from mouthpiece_avatar.conduct import Conduct
from mouthpiece_avatar.hosting import Figures, StartedSession, Totals
from mouthpiece_avatar.processes.supervisor import SessionProcesses
from mouthpiece_avatar.processes.wear import Wear
from mouthpiece_avatar.renderer import Renderers
from mouthpiece_avatar.sessions import Sessions
from mouthpiece_avatar.token import Claims


class OneProcess:
    """A :class:`mouthpiece_avatar.hosting.SessionHost`. ``async with`` ends every session at its end."""

    def __init__(
        self,
        renderers: Renderers,
        *,
        limit: int,
        make_conduct: Callable[[], Conduct],
        alone: float,
        arguments: Sequence[str] = (),
    ) -> None:
        """
        :param limit: of sessions.
        :param make_conduct: see :class:`Sessions`, as ``alone``.
        :param arguments: of the process beside it, see :class:`SessionProcesses`.
        """
        self._renderers = renderers
        self._limit = limit
        self._arguments = arguments
        self._wear = Wear()
        self._worn = asyncio.Event()
        self._own = Sessions(renderers, limit=limit, make_conduct=make_conduct, alone=alone, on_end=self._ended)
        self._beside: SessionProcesses | None = None
        self._handed_over = False
        """A process was ready beside this one: all sessions go there."""
        self._stack = AsyncExitStack()
        self._replacing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._own)
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        tasks.create_task(self._renderers.preload())
        self._replacing = tasks.create_task(self._replace_once_worn())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._replacing is not None:
            self._replacing.cancel()
        self.stop()
        await self._stack.__aexit__(kind, error, traceback)

    @property
    def running(self) -> int:
        return self._own.running + (self._beside.running if self._beside is not None else 0)

    async def start(self, request: StartAvatar, claims: Claims) -> StartedSession:
        self._handed_over = self._handed_over or (self._beside is not None and self._beside.ready)
        if self._beside is None or not self._handed_over:
            return await self._own.start(request, claims)
        older = self._own.replaced(request, claims)
        self._beside.limit = self._limit - self._own.running + len(older)
        started = await self._beside.start(request, claims)
        self._own.end_replaced(older)
        return started

    async def end(self, session_id: str) -> bool:
        if await self._own.end(session_id):
            return True
        return self._beside is not None and await self._beside.end(session_id)

    async def figures(self) -> Figures:
        own = await self._own.figures()
        if self._beside is None:
            return own
        beside, totals = await self._beside.figures(), Totals()
        totals.update(own.totals)
        totals.update(beside.totals)
        return Figures([*own.sessions, *beside.sessions], totals, own.processes + beside.processes)

    def stop(self) -> None:
        self._own.stop()
        if self._beside is not None:
            self._beside.stop()

    def _ended(self, _: str, reason: str) -> None:
        self._wear.ended(reason)
        if self._wear.worn:
            self._worn.set()

    async def _replace_once_worn(self) -> None:
        await self._worn.wait()
        beside = SessionProcesses(1, limit=self._limit, arguments=self._arguments)
        self._beside = await self._stack.enter_async_context(beside)
