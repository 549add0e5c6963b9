"""The sender on a loop that is never free: a callback blocks it while 1,000 calls from a thread wait."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time

from mouthpiece_sender import cli, service
from mouthpiece_sender.api.dependencies import Dependencies

serve = service.serve


def flood(loop: asyncio.AbstractEventLoop) -> None:
    while True:
        try:
            loop.call_soon_threadsafe(time.sleep, 0.3)
            for _ in range(1000):
                loop.call_soon_threadsafe(int)
        except RuntimeError:
            return  # the loop has been closed
        time.sleep(0.3)


async def flooded(dependencies: Dependencies, listening: socket.socket) -> None:
    threading.Thread(target=flood, args=(asyncio.get_running_loop(),), daemon=True).start()
    await serve(dependencies, listening)


if __name__ == "__main__":
    service.serve = flooded
    sys.argv[:1] = ["mouthpiece", "serve"]
    cli.main()
