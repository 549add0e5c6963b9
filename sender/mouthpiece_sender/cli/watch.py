"""``mouthpiece watch``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.live import Live

from mouthpiece.client.values import Event
from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.board import Board
from mouthpiece_sender.cli.board_view import event_line, tables
from mouthpiece_sender.cli.outcome import ExitCode, run
from mouthpiece_sender.cli.service_client import ServiceClient, ServiceError

LOOK: Final = 5.0
"""Seconds between two looks at all rooms and their segments: positions, viewers, and what no event told."""
SOON: Final = 0.5
"""Seconds until the second look: by then the stream of events is open."""


def watch(
    room: Annotated[
        str | None,
        typer.Option("--room", "-r", envvar="MOUTHPIECE_ROOM", help="This room alone.", show_default=False),
    ] = None,
    service: options.RunningService = options.DEFAULT_SERVICE,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON.")] = False,
) -> None:
    """Show the rooms and segments of a running service as they change, until Ctrl-C.

    In a terminal it is a table, elsewhere a line for each event.

    Examples:

      mouthpiece watch

      mouthpiece watch --room demo --json | jq .type
    """

    async def work() -> int:
        async with ServiceClient(service) as client:
            if as_json or not sys.stdout.isatty():
                await client.rooms()  # a wrong address or key is said at once
                async for event in client.events(room):
                    print(json.dumps(event) if as_json else event_line(event), flush=True)
            else:
                await _show(client, room)
        return ExitCode.FINISHED

    run(work, as_json=as_json)


async def _show(client: ServiceClient, room: str | None) -> None:
    board, changed = Board(), asyncio.Event()
    await _look(client, board, room)
    console = Console()
    try:
        with Live(console=console, auto_refresh=False, screen=True) as live:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_follow(client.events(room), board, changed), name="events")
                tasks.create_task(_look_again(client, board, room, changed), name="look")
                while True:
                    live.update(tables(board, height=console.height), refresh=True)
                    changed.clear()
                    await changed.wait()
    except* ServiceError as failures:
        raise failures.exceptions[0] from None


async def _follow(events: AsyncIterator[Event], board: Board, changed: asyncio.Event) -> None:
    async for event in events:
        board.take_event(event)
        changed.set()


async def _look_again(client: ServiceClient, board: Board, room: str | None, changed: asyncio.Event) -> None:
    await asyncio.sleep(SOON)
    while True:
        await _look(client, board, room)
        changed.set()
        await asyncio.sleep(LOOK)


async def _look(client: ServiceClient, board: Board, room: str | None) -> None:
    rooms = [one for one in (await client.rooms())["rooms"] if room in (None, one["room"])]
    active = [segment for one in rooms for segment in await client.active_segments(one["room"])]
    for id in board.take_rooms(rooms, active):
        try:
            board.take_segment(await client.segment(id))
        except ServiceError:
            board.forget(id)
