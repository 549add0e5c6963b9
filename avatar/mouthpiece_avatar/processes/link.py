"""Calls between two processes: a line of JSON each, over a socket.

::

    {"id": 7, "call": "end", "with": {"session_id": "ses_1"}}      {"id": 7, "answer": true}
    {"id": 8, "call": "start", "with": {…}}       {"id": 8, "error": "QueueFull", "detail": "…", "members": {}}
    {"id": 8, "cancel": true}                                      (nobody waits for the answer any more)
    {"id": null, "call": "ended", "with": {…}}                     (no answer is wanted)
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Self

from mouthpiece.errors import MouthpieceError

logger = logging.getLogger(__name__)

MOST_LINE = 4_000_000
"""Bytes of one line: a list of thousands of sessions is shorter."""
FINISH_WITHIN = 1.0
"""Seconds for answers that are being made when a link is closed."""

Answer = Callable[[str, dict[str, Any]], Awaitable[Any]]


class LinkClosed(Exception):
    """The other process is gone, or about to go."""


class Link:
    """``run`` until the other side closes it, or until cancelled; then ``aclose``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
        """:param answer: answers a call of the other side, by name and arguments."""
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._numbers = itertools.count()
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @classmethod
    async def over(cls, end: socket.socket, answer: Answer) -> Self:
        """Make one over a connected socket, which it owns from then on."""
        reader, writer = await asyncio.open_connection(sock=end, limit=MOST_LINE)
        return cls(reader, writer, answer)

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Call the other side, and return its answer.

        :raises LinkClosed: the other side is gone.
        :raises MouthpieceError: what it raised.
        :raises RuntimeError: it failed in another way; its log says why.
        """
        if self._closed:
            raise LinkClosed("the other process is gone")
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        try:
            self._send({"id": number, "call": name, "with": arguments})
            return await answer
        except asyncio.CancelledError:
            self._send({"id": number, "cancel": True})
            raise
        finally:
            del self._pending[number]

    def tell(self, name: str, /, **arguments: Any) -> None:
        """Call the other side without waiting for an answer; nothing happens if it is gone."""
        self._send({"id": None, "call": name, "with": arguments})

    async def run(self) -> None:
        """Take what the other side sends, until it has closed the link."""
        try:
            while line := await self._reader.readline():
                self._take(json.loads(line))
        except (ConnectionError, ValueError) as error:  # ValueError: a line that is too long, or none of JSON
            logger.error("a link between processes broke: %s", type(error).__name__)
        finally:
            self._closed = True
            for answer in self._pending.values():
                if not answer.done():
                    answer.set_exception(LinkClosed("the other process is gone"))

    async def aclose(self) -> None:
        """Let answers that are being made go out, within ``FINISH_WITHIN``, and close."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_WITHIN)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._closed = True
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            pass  # the other side was faster

    def _send(self, message: dict[str, Any]) -> None:
        if not self._closed and not self._writer.is_closing():
            self._writer.write(json.dumps(message).encode() + b"\n")

    def _take(self, message: dict[str, Any]) -> None:
        number = message["id"]
        if "call" in message:
            task = asyncio.create_task(self._respond(number, message["call"], message["with"]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            if number is not None:
                self._answering[number] = task
        elif "cancel" in message:
            if (answering := self._answering.get(number)) is not None:
                answering.cancel()
        elif (waiting := self._pending.get(number)) is not None and not waiting.done():
            if "error" in message:
                waiting.set_exception(_raised(message["error"], message["detail"], message["members"]))
            else:
                waiting.set_result(message["answer"])

    async def _respond(self, number: int | None, name: str, arguments: dict[str, Any]) -> None:
        try:
            said = {"answer": await self._answer(name, arguments)}
        except MouthpieceError as error:
            said = {"error": type(error).__name__, "detail": str(error), "members": vars(error)}
        except Exception as error:
            logger.exception("the call %s failed", name)
            said = {"error": type(error).__name__, "detail": "a process that runs sessions failed", "members": {}}
        finally:
            if number is not None:
                self._answering.pop(number, None)
        if number is not None:
            self._send({"id": number, **said})


def _raised(name: str, detail: str, members: dict[str, Any]) -> Exception:
    """Make an error of the tree again; another one becomes a :class:`RuntimeError`."""
    for kind in _tree(MouthpieceError):
        if kind.__name__ == name:
            error = kind.__new__(kind)  # a class may ask for more than its text
            MouthpieceError.__init__(error, detail)
            vars(error).update(members)
            return error
    return RuntimeError(f"{name}: {detail}")


def _tree(kind: type[MouthpieceError]) -> Iterator[type[MouthpieceError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _tree(below)
