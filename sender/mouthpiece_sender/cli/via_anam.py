"""``--via anam``: the same commands, spoken by Anam's engine instead of an avatar in a LiveKit room."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mouthpiece.errors import ConfigurationError
from mouthpiece_sender.anam.settings import Via, anam_settings
from mouthpiece_sender.cli import options

if TYPE_CHECKING:
    from mouthpiece_sender.anam.frames import FrameSink
    from mouthpiece_sender.anam.target import AnamTarget

ViaOption = Annotated[
    Via,
    typer.Option(
        "--via",
        envvar="MOUTHPIECE_TARGET",
        help="Who speaks: an avatar in a LiveKit room, or Anam's engine (ANAM_API_KEY), which needs no room.",
    ),
]
View = Annotated[
    bool,
    typer.Option("--view", help="With --via anam: show the avatar in a window and play its sound; q quits."),
]
Record = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE.mp4", help="With --via anam: keep picture and sound.", show_default=False),
]


def check_via(via: Via, room: str | None, view: bool, record: Path | None) -> str:
    """The room; empty where none is needed.

    :raises typer.BadParameter: options that do not go together."""
    if via is Via.LIVEKIT:
        if view or record is not None:
            raise typer.BadParameter("goes with --via anam.", param_hint="--view" if view else "--record")
        if room is None:
            raise typer.BadParameter("is missing: name the room with it, or set MOUTHPIECE_ROOM.", param_hint="--room")
    elif record is not None and record.suffix.lower() != ".mp4":
        raise typer.BadParameter("must end in .mp4.", param_hint="--record")
    return room or ""


@asynccontextmanager
async def anam_target(
    *, ready_timeout: float, view: bool = False, record: Path | None = None
) -> AsyncIterator[AnamTarget]:
    """What says files and sounds through Anam, as the environment sets it up.

    :raises ConfigurationError: ``ANAM_API_KEY`` is missing, the SDK is not installed, or the recording's folder is not
        there.
    """
    from mouthpiece_sender.anam import sdk
    from mouthpiece_sender.anam.recorder import Recorder
    from mouthpiece_sender.anam.target import AnamTarget
    from mouthpiece_sender.anam.viewer import Viewer

    settings = anam_settings(options.environment(), ready_timeout=ready_timeout)
    if not sdk.installed():
        raise ConfigurationError("Speaking through Anam needs a package: pip install 'mouthpiece[anam]'.")
    for library in ("anam", "aiortc", "aioice"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # what matters of theirs, we say ourselves
    sinks: list[FrameSink] = []
    if record is not None:
        sinks.append(Recorder(record))
    viewer = Viewer(note) if view else None
    if viewer is not None:
        sinks.append(viewer)
    target = AnamTarget(settings, sinks=sinks)
    if viewer is not None:
        viewer.on_quit = target.dismiss
    async with target:
        yield target


def note(message: str) -> None:
    """Something that a person should know, and that ends nothing."""
    print(f"mouthpiece: {message}", file=sys.stderr)
