"""Whether webhooks delay speech: the figures of ``bench/post_latency.py`` without webhooks and with five.

::

    python bench/webhook_delay.py [--trials 10]

The five receivers get every event: one takes it at once, two answer after 10 s, one answers 500, one is not there. What
failed is tried again soon (the delays are scaled to a hundredth), so that deliveries go on throughout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import latency, post_latency, services  # noqa: E402

from tests.loopback.http_server import served  # noqa: E402

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SLOW = 10.0
"""Seconds."""


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[list[str], list[str]]]:
    """Yield the URLs of the receivers, and the paths that were asked, which grow."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        asked.append(request.path)
        if request.path.startswith("/slow"):
            await asyncio.sleep(SLOW)
        return web.Response(status=500 if request.path == "/failing" else 204)

    app = web.Application()
    app.router.add_post("/{name}", answer)
    async with served(web.AppRunner(app, shutdown_timeout=0)) as base:
        paths = ("quick", "slow-1", "slow-2", "failing")
        yield [*(f"{base}/{path}" for path in paths), "http://127.0.0.1:9/nobody"], asked


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10, help="of each figure (10)")
    options = parser.parse_args()
    async with services.server() as livekit, services.avatar(livekit):
        without = await post_latency.measure(livekit, options.trials)
        async with receiving() as (urls, asked):
            webhooks = json.dumps([{"url": url, "secret": SECRET} for url in urls])
            settings = {"MOUTHPIECE_WEBHOOKS": webhooks, "MOUTHPIECE_WEBHOOK_BACKOFF": "0.01"}
            beside = await post_latency.measure(livekit, options.trials, settings)
    post_latency.say("")
    print(f"\r{'milliseconds: median (range)':30}{'no webhooks':>22}{'five':>22}")
    for name in ("answer", "first_sound", "silence", "stopped"):
        ours, theirs = (latency.spread(getattr(figures, name)) for figures in (without, beside))
        print(f"{name.replace('_', ' '):30}{ours:>22}{theirs:>22}")
    print(f"{'accept, mean':30}{without.accept:>22.1f}{beside.accept:>22.1f}")
    print(f"deliveries: {', '.join(f'{name[1:]} {asked.count(name)}' for name in sorted(set(asked)))}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
