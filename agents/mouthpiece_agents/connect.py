"""livekit-agents' command ``connect``, which joins one room without being dispatched, and its end."""

from __future__ import annotations

import asyncio
import signal
import sys

from livekit.agents import AgentServer


def end_connect_at_ctrl_c(server: AgentServer) -> None:
    """End the job, and then the process, at Ctrl-C or SIGTERM, where the command line asks for ``connect``.

    That command kills its own process at Ctrl-C (livekit-agents 1.8.9), and the job's process, which holds the avatar,
    is not asked to end. The other commands have an end of their own, and are left alone.
    """
    if "connect" not in sys.argv[1:2]:
        return

    def watch() -> None:
        loop = asyncio.get_running_loop()
        closing: list[asyncio.Task[None]] = []

        def close() -> None:
            if not closing:
                closing.append(loop.create_task(server.aclose(), name="end connect"))

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, close)

    server.once("worker_started", watch)
