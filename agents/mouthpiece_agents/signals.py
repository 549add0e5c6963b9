"""Ctrl-C and SIGTERM, at any moment, as one event on the loop.

livekit-agents ignores SIGINT while it starts a process (``_mask_ctrl_c``, 1.8.9), which takes seconds for the first
one: a handler would miss a Ctrl-C in that time. So both signals are blocked for the whole process, and a thread takes
them with ``sigwait``. Child processes inherit the block: their parent ends them, not a Ctrl-C in the terminal. So there
is no need to ignore it, and that is switched off: what is pending when it begins is discarded (POSIX ``sigaction``).
"""

from __future__ import annotations

import asyncio
import multiprocessing.resource_tracker
import os
import signal
import threading
from contextlib import nullcontext

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def block() -> None:
    """Block both signals. Call this before any thread or process is started."""
    # first: its start unblocks the signals in the calling thread (CPython, `ensure_running`)
    multiprocessing.resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def never_ignore() -> None:
    """Keep livekit-agents from ignoring SIGINT while it starts a process."""
    from livekit.agents.ipc import supervised_proc  # not before `block`: it takes a second, and starts threads

    if hasattr(supervised_proc, "_mask_ctrl_c"):
        setattr(supervised_proc, "_mask_ctrl_c", nullcontext)  # noqa: B010 - a private name, which mypy would not find


def watch(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> list[signal.Signals]:
    """Set ``stop`` at the first signal, also one that is pending since :func:`block`; exit at once at the second.

    :returns: a list that the first signal is appended to.
    """
    received: list[signal.Signals] = []

    def take() -> None:
        received.append(signal.Signals(signal.sigwait(SIGNALS)))

    def wait() -> None:
        if not received:
            take()
            loop.call_soon_threadsafe(stop.set)
        os._exit(128 + signal.sigwait(SIGNALS))

    if signal.sigpending() & set(SIGNALS):
        take()
        stop.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    return received
