"""A process that runs sessions, without LiveKit: one joins at once; the identity in its claims says how it ends."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections import Counter
from typing import Any

from mouthpiece_avatar.hosting import Figures, Totals
from mouthpiece_avatar.processes.link import Link


async def main(end: socket.socket) -> None:
    sessions: dict[str, str] = {}
    totals = Totals()
    stopping = asyncio.Event()

    async def answer(name: str, arguments: dict[str, Any]) -> Any:
        match name:
            case "start" if arguments["claims"]["identity"] == "dies":
                os._exit(3)
            case "start":
                sessions[arguments["session_id"]] = arguments["claims"]["identity"]
                totals.streams["opened"] += 1
            case "end":
                if (identity := sessions.pop(arguments["session_id"], None)) is None:
                    return False
                reason = "LiveKit: room deleted" if identity == "room" else "ended by request"
                link.tell("ended", session_id=arguments["session_id"], reason=reason)
                return True
            case "figures":
                return Figures(totals=Totals(streams=Counter({"opened": totals.streams["opened"]}))).as_json()
            case "stop":
                stopping.set()
        return os.getpid()

    link = await Link.over(end, answer)
    serving = asyncio.create_task(link.run())
    link.tell("ready")
    await asyncio.wait({serving, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
    link.tell("last", figures=Figures(totals=totals).as_json())
    await link.aclose()


if __name__ == "__main__":
    asyncio.run(main(socket.socket(fileno=int(sys.argv[sys.argv.index("--link") + 1]))))
