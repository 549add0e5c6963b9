"""Reads a blocking iterator from a coroutine without blocking the event loop."""

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
    """Iterate over ``iterator``. One thread calls ``next`` when an item is asked for, never ahead.

    When this generator is closed, the thread closes the iterator and ends. If it is blocked inside ``next``, it does so
    once that returns, and closing does not wait for it. It is a daemon thread, so that a service that never answers
    does not keep the process from exiting.
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
        except BaseException as error:  # raised on the loop's side
            if not _call_on(loop, _fail, answer, error):
                break
        else:
            if not _call_on(loop, _give, answer, item):
                break
    close = getattr(iterator, "close", None)
    if close is not None:
        with contextlib.suppress(Exception):  # there is no one left to raise it to
            close()


def _call_on(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: Any) -> bool:
    """Schedule ``callback`` on ``loop``; return False if the loop is closed."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:  # the loop is closed
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
