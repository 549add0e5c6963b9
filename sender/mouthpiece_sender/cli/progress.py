"""A progress bar while a segment plays, where standard error is a terminal."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mouthpiece_sender.cli.destination import SegmentHandle

INTERVAL = 0.2
"""Seconds between two updates."""
_WAITING = {"queued": "waiting for the avatar", "paused": "paused", "playing": "playing"}


async def watch(handle: SegmentHandle, *, quiet: bool) -> dict[str, Any]:
    """Wait until the segment has ended, with a progress bar; return its JSON.

    :param quiet: show no bar.
    """
    if quiet or not sys.stderr.isatty():
        return await handle.finished()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[length]}"),
        TimeElapsedColumn(),
    )
    ended = asyncio.ensure_future(handle.finished())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("", total=None, length="")
            while not ended.done():
                segment = await handle.now()
                position, duration = segment["position"], segment["audio"]["duration"]
                progress.update(
                    bar,
                    description=_WAITING.get(segment["state"], segment["state"]),
                    completed=position,
                    total=duration,  # None: not known yet, and the bar moves to and fro
                    length=f"{position:.1f} s" if duration is None else f"{position:.1f} of {duration:.1f} s",
                )
                await asyncio.wait([ended], timeout=INTERVAL)
        return await ended
    finally:
        ended.cancel()
