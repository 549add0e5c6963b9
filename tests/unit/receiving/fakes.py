"""Stand-ins for what LiveKit's SDK hands to the avatar. They say what they are by their names."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from livekit.rtc.data_stream import StreamError


class FakeReader:
    """A byte stream that a test writes into."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | StreamError | None] = asyncio.Queue()
        self.closed = False

    def write(self, data: bytes) -> None:
        self._queue.put_nowait(data)

    def end(self) -> None:
        self._queue.put_nowait(None)

    def break_off(self) -> None:
        self._queue.put_nowait(StreamError("the sender left"))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._queue.put_nowait(None)

    def __aiter__(self) -> FakeReader:
        return self

    async def __anext__(self) -> bytes:
        if self.closed:
            raise StopAsyncIteration
        item = await self._queue.get()
        if isinstance(item, StreamError):
            raise item
        if item is None:
            raise StopAsyncIteration
        return item


class FakeTasks:
    """Owns what is spawned, and lets it run until nothing moves."""

    def __init__(self) -> None:
        self.running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def settle(self) -> None:
        """Lets everything run that can without time passing."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def done(self) -> None:
        """Until everything that was spawned has ended by itself.

        :raises TimeoutError: it does not.
        """
        async with asyncio.timeout(5):
            await asyncio.gather(*self.running)

    async def cancel(self) -> None:
        for task in list(self.running):
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
