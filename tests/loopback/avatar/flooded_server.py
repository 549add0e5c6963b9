"""The avatar server on a loop that is never free: a callback blocks it while 1,000 calls from a thread wait."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time

from mouthpiece_avatar import server
from mouthpiece_avatar.renderer import Renderers
from mouthpiece_avatar.settings import Settings

serve = server._serve


def flood(loop: asyncio.AbstractEventLoop) -> None:
    while True:
        try:
            loop.call_soon_threadsafe(time.sleep, 0.3)
            for _ in range(1000):
                loop.call_soon_threadsafe(int)
        except RuntimeError:
            return  # the loop has been closed
        time.sleep(0.3)


async def flooded(settings: Settings, renderers: Renderers, listening: socket.socket) -> None:
    threading.Thread(target=flood, args=(asyncio.get_running_loop(),), daemon=True).start()
    await serve(settings, renderers, listening)


if __name__ == "__main__":
    server._serve = flooded
    sys.exit(server.main())
