"""The program of a process that runs sessions; the avatar server starts it and tells it what to do."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import signal
import socket
import sys
from typing import Any

from mouthpiece.process.inspection import forbid_inspection
from mouthpiece.process.logs import set_up_service_logs
from mouthpiece.process.signals import STOP_SIGNALS, hold, stop_signals
from mouthpiece.wire import StartAvatar
from mouthpiece_avatar.conduct import Conduct
from mouthpiece_avatar.logs import FIELDS, SessionFormatter
from mouthpiece_avatar.processes.link import Link
from mouthpiece_avatar.renderers import choose_renderers
from mouthpiece_avatar.sessions import Sessions
from mouthpiece_avatar.settings import Settings, read_own_settings
from mouthpiece_avatar.testing import server_faults as faults
from mouthpiece_avatar.token import Claims


def main() -> int:
    """Run sessions until told to stop, by the link, by its end or by a signal; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--link", type=int, required=True, metavar="DESCRIPTOR", help="a connected socket")
    parser.add_argument("--fault", help="as of the server")
    parser.add_argument("--verbose", action="store_true", help="as of the server")
    options = parser.parse_args()
    forbid_inspection()
    settings = read_own_settings()
    set_up_service_logs(
        "mouthpiece_avatar",
        verbose=options.verbose,
        form=settings.log_format,
        formatter=SessionFormatter(),
        fields=FIELDS,
    )
    hold(*STOP_SIGNALS)
    gc.freeze()  # a collection of all that was imported holds pictures up for some 50 ms
    asyncio.run(_serve(settings, options.fault, socket.socket(fileno=options.link)))
    return 0


async def _serve(settings: Settings, fault: str | None, end: socket.socket) -> None:
    stopping = asyncio.Event()

    async def answer(name: str, arguments: dict[str, Any]) -> Any:
        match name:
            case "start":
                await sessions.start(
                    StartAvatar(**arguments["request"]),
                    Claims(**arguments["claims"]),
                    session_id=arguments["session_id"],
                )
            case "end":
                return await sessions.end(arguments["session_id"])
            case "figures":
                return (await sessions.figures()).as_json()
            case "stop":
                stopping.set()
        return None

    def stop(_: signal.Signals) -> None:
        stopping.set()

    async def serve_link() -> None:
        await link.run()
        stopping.set()  # the server is gone

    renderers = choose_renderers(settings)
    link = await Link.over(end, answer)
    sessions = Sessions(
        renderers,
        limit=sys.maxsize,  # the server counts
        make_conduct=Conduct if fault is None else faults.conducts(fault),
        alone=settings.alone,
        on_end=lambda session_id, reason: link.tell("ended", session_id=session_id, reason=reason),
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(stop_signals(stop))
        serving = asyncio.create_task(serve_link(), name="link")
        preloading = asyncio.create_task(renderers.preload(), name="preload")
        async with sessions:
            link.tell("ready")
            await stopping.wait()
        link.tell("last", figures=(await sessions.figures()).as_json())
        await link.aclose()
        serving.cancel()
        await asyncio.gather(serving, preloading, return_exceptions=True)


if __name__ == "__main__":
    sys.exit(main())
