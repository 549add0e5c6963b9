"""``mouthpiece interrupt``."""

from __future__ import annotations

import enum
import json
from typing import Annotated

import typer

from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.outcome import ExitCode, run, sentence
from mouthpiece_sender.cli.service_client import ServiceClient


class Queued(enum.StrEnum):
    KEEP = "keep"
    DROP = "drop"


def interrupt(
    room: options.Room,
    queued: Annotated[Queued, typer.Option(help="Keep or drop the segments that wait.")] = Queued.KEEP,
    avatar: options.Avatar = None,
    service: options.RunningService = options.DEFAULT_SERVICE,
    as_json: options.Json = False,
) -> None:
    """Stop the segment that a running service plays in a room.

    Example:

      mouthpiece interrupt --room demo --queued drop
    """

    async def work() -> int:
        async with ServiceClient(service) as client:
            answer = await client.interrupt(room, avatar, queued)
        segments = answer.get("segments", [])
        if as_json:
            print(json.dumps(answer))
        else:
            print("\n".join(map(sentence, segments)) or "Nothing was playing.")
        return ExitCode.FINISHED

    run(work)
