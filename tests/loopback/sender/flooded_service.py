"""The sender on a loop that is never free: a callback blocks it while 1,000 calls from a thread wait."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time

from mouthpiece_sender import cli, service
from mouthpiece_sender.anam.target import AnamTarget
from mouthpiece_sender.settings import Settings

run = service.run


def flood(loop: asyncio.AbstractEventLoop) -> None:
    while True:
        try:
            loop.call_soon_threadsafe(time.sleep, 0.3)
            for _ in range(1000):
                loop.call_soon_threadsafe(int)
        except RuntimeError:
            return  # the loop has been closed
        time.sleep(0.3)


async def flooded(settings: Settings, listening: socket.socket, anam: AnamTarget | None = None) -> None:
    threading.Thread(target=flood, args=(asyncio.get_running_loop(),), daemon=True).start()
    await run(settings, listening, anam)


if __name__ == "__main__":
    service.run = flooded
    sys.argv[:1] = ["mouthpiece", "serve"]
    cli.main()
