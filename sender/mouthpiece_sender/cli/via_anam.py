"""``--via anam``: Anam's engine speaks instead of an avatar in a LiveKit room."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mouthpiece_sender.anam.settings import Via, anam_settings
from mouthpiece_sender.cli import options
from mouthpiece_sender.speaker import Speaker

if TYPE_CHECKING:
    from mouthpiece_sender.anam.frames import FrameSink
    from mouthpiece_sender.anam.target import AnamTarget

ViaOption = Annotated[
    Via | None,
    typer.Option(
        "--via",
        help="An avatar in a LiveKit room speaks, or Anam's engine (ANAM_API_KEY), which needs no room; else "
        "MOUTHPIECE_TARGET, else livekit.",
        show_default=False,
    ),
]
View = Annotated[
    bool,
    typer.Option("--view", help="With --via anam: show the avatar in a window and play its sound; q quits."),
]
Record = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE.mp4", help="With --via anam: record picture and sound.", show_default=False),
]

WITHOUT_MEANING: Final = {
    "room": "--room",
    "identity": "--identity",
    "url": "--url",
    "api_secret_file": "--api-secret-file",
    "wait_for_viewer": "--wait-for-viewer",
}
"""Options that apply to a LiveKit room only, by the name of their parameter."""


def check_for_anam(context: typer.Context, record: Path | None) -> None:
    """:raises typer.BadParameter: an option has no meaning with Anam, or ``record`` is not an .mp4 file."""
    for name, option in WITHOUT_MEANING.items():
        if options.on_command_line(context, name):
            raise typer.BadParameter("has no meaning with Anam, which needs no LiveKit.", param_hint=option)
    if record is not None and record.suffix.lower() != ".mp4":
        raise typer.BadParameter("must end in .mp4.", param_hint="--record")


def check_without_anam(view: bool, record: Path | None) -> None:
    """:raises typer.BadParameter: an option has a meaning with Anam only."""
    if view or record is not None:
        raise typer.BadParameter("goes with --via anam.", param_hint="--view" if view else "--record")


def anam_target(
    avatar: str | None,
    *,
    ready_timeout: float,
    warm: float,
    view: bool,
    record: Path | None,
    on_quit: Callable[[], None],
) -> AnamTarget:
    """Return Anam's target, set up from the environment and not yet open.

    :param avatar: the avatar's id; None takes the environment's.
    :param ready_timeout: seconds to wait for the avatar.
    :param warm: seconds that a session stays open after its last segment.
    :param on_quit: called when the viewer window is closed.
    :raises ConfigurationError: ``ANAM_API_KEY`` is missing, or a value is wrong.
    """
    from mouthpiece_sender.anam.recorder import Recorder
    from mouthpiece_sender.anam.target import AnamTarget
    from mouthpiece_sender.anam.viewer import Viewer

    settings = anam_settings(options.environment(), ready_timeout=ready_timeout)
    if avatar is not None:
        settings = replace(settings, avatar_id=avatar)
    for library in ("anam", "aiortc", "aioice"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # the command reports their failures itself
    sinks: list[FrameSink] = []
    if record is not None:
        sinks.append(Recorder(record))
    if view:
        viewer = Viewer(note)
        viewer.on_quit = on_quit
        sinks.append(viewer)
    return AnamTarget(settings, sinks=sinks, warm=warm)


@asynccontextmanager
async def speaker_via_anam(
    avatar: str | None, window_closed: asyncio.Event, *, ready_timeout: float, view: bool, record: Path | None
) -> AsyncIterator[Speaker]:
    """Open a speaker through Anam for the length of the block.

    After a block without an error the session stays open for ``linger`` seconds, in which the avatar returns to its
    neutral pose.

    :param window_closed: set when the viewer window is closed, which also interrupts everything.
    :raises ConfigurationError: ``ANAM_API_KEY`` is missing, the SDK is not installed, or the recording cannot be
        written.
    """
    from mouthpiece_sender.anam.target import ROOM

    target = anam_target(
        avatar, ready_timeout=ready_timeout, warm=float("inf"), view=view, record=record, on_quit=window_closed.set
    )
    async with target, Speaker(ROOM, via=target) as speaker:
        stopping = asyncio.create_task(_interrupt_when(window_closed, speaker), name="interrupt at closed window")
        try:
            yield speaker
            if speaker.connected:
                await asyncio.wait([stopping], timeout=target.settings.linger)
        finally:
            stopping.cancel()
            await asyncio.wait([stopping])


async def _interrupt_when(window_closed: asyncio.Event, speaker: Speaker) -> None:
    await window_closed.wait()
    await speaker.interrupt(queued="drop")


def note(message: str) -> None:
    """Print a sentence for the user about something that does not end the command."""
    print(f"mouthpiece: {message}", file=sys.stderr)
