"""SIGINT and SIGTERM reach a service however busy its loop is."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from mouthpiece.process.signals import STOP_SIGNALS, hold, stop_signals

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


class Received:
    def __init__(self) -> None:
        self.numbers: list[signal.Signals] = []
        self._came = asyncio.Event()

    def __call__(self, number: signal.Signals) -> None:
        self.numbers.append(number)
        self._came.set()

    async def wait(self) -> None:
        async with asyncio.timeout(5):
            await self._came.wait()


@pytest.fixture
def held() -> Iterator[None]:
    """As a service begins."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    hold(*STOP_SIGNALS)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@BOTH
async def test_a_signal_wakes_an_idle_loop(number: signal.Signals) -> None:
    received = Received()
    with stop_signals(received):
        threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
        await received.wait()
    assert received.numbers == [number]


@BOTH
async def test_a_signal_is_not_lost_behind_a_thousand_calls_from_threads(number: signal.Signals) -> None:
    received = Received()
    loop = asyncio.get_running_loop()
    done = 0

    def count() -> None:
        nonlocal done
        done += 1

    with stop_signals(received):
        for _ in range(1000):
            loop.call_soon_threadsafe(count)
        os.kill(os.getpid(), number)
        await received.wait()
    assert received.numbers == [number]
    assert done == 1000


async def test_a_signal_is_not_lost_while_a_callback_blocks_the_loop() -> None:
    received = Received()
    with stop_signals(received):
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        time.sleep(0.3)  # noqa: ASYNC251 - a callback that takes long
        await received.wait()
    assert received.numbers == [signal.SIGTERM]


async def test_each_signal_is_one_call() -> None:
    received = Received()
    with stop_signals(received):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
            os.kill(os.getpid(), number)
        await received.wait()
    assert received.numbers == [signal.SIGINT, signal.SIGTERM, signal.SIGTERM]


async def test_what_handled_them_before_does_so_again() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stop_signals(Received()):
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_only_the_main_thread_can_take_them() -> None:
    async def take() -> None:
        with stop_signals(Received()):
            pass

    with pytest.raises(ValueError, match="main thread"):
        await asyncio.to_thread(asyncio.run, take())


@BOTH
@pytest.mark.usefixtures("held")
async def test_a_signal_that_is_held_is_received_once_the_loop_is_ready_for_it(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    hold(*STOP_SIGNALS)  # again, later in the start: it forgets nothing
    received = Received()
    with stop_signals(received):
        await received.wait()
    assert received.numbers == [number]


@BOTH
@pytest.mark.usefixtures("held")
async def test_a_signal_that_comes_after_the_stop_ends_nothing(number: signal.Signals) -> None:
    with stop_signals(Received()):
        pass
    os.kill(os.getpid(), number)
    await asyncio.sleep(0)
