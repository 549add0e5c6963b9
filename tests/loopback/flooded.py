"""``flooded.py sender|avatar OPTIONS…``: a service on a loop that is never free: a callback blocks it while 1,000 calls
from a thread wait."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")


def flood(loop: asyncio.AbstractEventLoop) -> None:
    while True:
        try:
            loop.call_soon_threadsafe(time.sleep, 0.3)
            for _ in range(1000):
                loop.call_soon_threadsafe(int)
        except RuntimeError:
            return  # the loop has been closed
        time.sleep(0.3)


def flooded(serve: Callable[P, Awaitable[None]]) -> Callable[P, Coroutine[Any, Any, None]]:
    async def serve_flooded(*arguments: P.args, **options: P.kwargs) -> None:
        threading.Thread(target=flood, args=(asyncio.get_running_loop(),), daemon=True).start()
        await serve(*arguments, **options)

    return serve_flooded


if __name__ == "__main__":
    if sys.argv.pop(1) == "sender":
        from mouthpiece_sender import cli, service

        service.serve = flooded(service.serve)
        sys.argv[:1] = ["mouthpiece", "serve"]
        cli.main()
    else:
        from mouthpiece_avatar import server

        server._serve = flooded(server._serve)
        sys.exit(server.main())
