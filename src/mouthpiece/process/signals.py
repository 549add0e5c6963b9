"""SIGINT and SIGTERM as calls on the event loop that no load on the loop can lose.

``loop.add_signal_handler`` shares one socket with ``loop.call_soon_threadsafe``, whose calls write a byte each: with
about 300 of them pending the socket is full, and a signal is dropped ("Exception ignored when trying to write to the
signal wakeup fd"). Here signals have a socket of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def hold(*numbers: signal.Signals) -> None:
    """From now on, outside of ``stop_signals``, these signals end nothing: the next ``stop_signals`` reports them.

    Call it in the main thread, and not in a process that may wait without end before its loop runs.

    :raises ValueError: this is not the main thread.
    """
    for number in numbers:
        if not isinstance(signal.getsignal(number), _Held):
            signal.signal(number, _Held())


class _Held:
    """A handler that keeps a signal for ``stop_signals``."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.came = True


@contextlib.contextmanager
def stop_signals(
    received: Callable[[signal.Signals], None], *, hung_up: Callable[[], None] | None = None
) -> Iterator[None]:
    """Call ``received`` on the running loop at each SIGINT and SIGTERM, and for those that ``hold`` has kept; the
    handlers from before come back at the end.

    :param hung_up: called likewise at each SIGHUP; None: SIGHUP stays as it is.

    Enter it in the main thread. ``loop.add_signal_handler`` must not be used meanwhile: it would take the signals away.

    :raises RuntimeError: no loop runs.
    :raises ValueError: this is not the main thread.
    """
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as undo:
        reading, writing = socket.socketpair()
        for end in (reading, writing):
            undo.callback(end.close)
            end.setblocking(False)

        def read() -> None:
            for number in reading.recv(4096):
                if number in STOP_SIGNALS:
                    received(signal.Signals(number))
                elif number == signal.SIGHUP and hung_up is not None:
                    hung_up()

        loop.add_reader(reading, read)
        undo.callback(loop.remove_reader, reading)
        # once the socket is full of signals that were not read yet, one more says nothing new
        before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        undo.callback(signal.set_wakeup_fd, before)
        for number in STOP_SIGNALS if hung_up is None else (*STOP_SIGNALS, signal.SIGHUP):
            handler = signal.signal(number, _written_to_the_socket)
            undo.callback(signal.signal, number, signal.SIG_DFL if handler is None else handler)
            if isinstance(handler, _Held) and handler.came:
                loop.call_soon(received, number)
        yield


def _written_to_the_socket(number: int, frame: FrameType | None) -> None:
    """Do nothing: the interpreter has written ``number`` to the wake-up descriptor before it calls this."""
