"""A blocking iterator, read from a coroutine without blocking its loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from queue import SimpleQueue
from typing import Any, Final, TypeVar

Item = TypeVar("Item")

_END: Final[Any] = object()


async def pull(iterator: Iterator[Item]) -> AsyncIterator[Item]:
    """The iterator's items; one thread of its own calls ``next``, for every item that is asked for and never ahead.

    When this generator is closed, the thread closes the iterator and ends; if it is blocked inside ``next`` then, it
    does so as soon as that returns, and nobody waits for it. It is a daemon thread: a service that never answers does
    not keep the process from ending.
    """
    loop = asyncio.get_running_loop()
    asked: SimpleQueue[asyncio.Future[Item] | None] = SimpleQueue()
    thread = threading.Thread(target=_serve, args=(iterator, asked, loop), name="tts-pull", daemon=True)
    thread.start()
    try:
        while True:
            answer: asyncio.Future[Item] = loop.create_future()
            asked.put(answer)
            item = await answer
            if item is _END:
                return
            yield item
    finally:
        asked.put(None)


def _serve(
    iterator: Iterator[Item], asked: SimpleQueue[asyncio.Future[Item] | None], loop: asyncio.AbstractEventLoop
) -> None:
    while (answer := asked.get()) is not None:
        try:
            item = next(iterator, _END)
        except BaseException as error:  # the loop's side raises it: nothing is lost here
            if not _tell(loop, _fail, answer, error):
                break
        else:
            if not _tell(loop, _give, answer, item):
                break
    close = getattr(iterator, "close", None)
    if close is not None:
        with contextlib.suppress(Exception):  # nobody hears it any more
            close()


def _tell(loop: asyncio.AbstractEventLoop, how: Callable[..., None], *what: Any) -> bool:
    try:
        loop.call_soon_threadsafe(how, *what)
    except RuntimeError:  # the loop is closed: nobody listens any more
        return False
    return True


def _give(answer: asyncio.Future[Item], item: Item) -> None:
    if not answer.done():
        answer.set_result(item)


def _fail(answer: asyncio.Future[Item], error: BaseException) -> None:
    if answer.done():
        return
    if isinstance(error, StopIteration):  # a future cannot hold it
        error = RuntimeError("the iterator raised StopIteration from inside")
    answer.set_exception(error)
