"""``--via anam``: the same commands, spoken by Anam's engine instead of an avatar in a LiveKit room."""

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
        help="Who speaks: an avatar in a LiveKit room, or Anam's engine (ANAM_API_KEY), which needs no room; else "
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
    typer.Option("--record", metavar="FILE.mp4", help="With --via anam: keep picture and sound.", show_default=False),
]

WITHOUT_MEANING: Final = {
    "room": "--room",
    "identity": "--identity",
    "url": "--url",
    "api_secret_file": "--api-secret-file",
    "wait_for_viewer": "--wait-for-viewer",
}
"""Options, by the name of their parameter, that say something about a LiveKit room."""


def check_for_anam(context: typer.Context, record: Path | None) -> None:
    """:raises typer.BadParameter: an option that Anam has no use for was given."""
    for name, option in WITHOUT_MEANING.items():
        if options.on_command_line(context, name):
            raise typer.BadParameter("has no meaning with Anam, which needs no LiveKit.", param_hint=option)
    if record is not None and record.suffix.lower() != ".mp4":
        raise typer.BadParameter("must end in .mp4.", param_hint="--record")


def check_without_anam(view: bool, record: Path | None) -> None:
    """:raises typer.BadParameter: an option that only Anam has a use for was given."""
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
    """Anam as the environment sets it up.

    :param avatar: its id, instead of the environment's.
    :param on_quit: called when whoever watches closes the window.
    :raises ConfigurationError: ``ANAM_API_KEY`` is missing, or a value is wrong.
    """
    from mouthpiece_sender.anam.recorder import Recorder
    from mouthpiece_sender.anam.target import AnamTarget
    from mouthpiece_sender.anam.viewer import Viewer

    settings = anam_settings(options.environment(), ready_timeout=ready_timeout)
    if avatar is not None:
        settings = replace(settings, avatar_id=avatar)
    for library in ("anam", "aiortc", "aioice"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # what matters of theirs, we say ourselves
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
    avatar: str | None, dismissed: asyncio.Event, *, ready_timeout: float, view: bool, record: Path | None
) -> AsyncIterator[Speaker]:
    """Leaving it in peace keeps the session for a while after the last sound: the avatar returns to its neutral pose.

    :param dismissed: is set when whoever watches closes the window; what plays is interrupted then.
    :raises ConfigurationError: ``ANAM_API_KEY`` is missing, the SDK is not installed, or the recording's folder is not
        there.
    """
    from mouthpiece_sender.anam.target import ROOM

    target = anam_target(
        avatar, ready_timeout=ready_timeout, warm=float("inf"), view=view, record=record, on_quit=dismissed.set
    )
    async with target, Speaker(ROOM, via=target) as speaker:
        dismissing = asyncio.create_task(_stop_when(dismissed, speaker), name="dismissal")
        try:
            yield speaker
            if speaker.connected:
                await asyncio.wait([dismissing], timeout=target.settings.linger)
        finally:
            dismissing.cancel()
            await asyncio.wait([dismissing])


async def _stop_when(dismissed: asyncio.Event, speaker: Speaker) -> None:
    """Whoever watches has seen enough: nothing is said any more."""
    await dismissed.wait()
    await speaker.interrupt(queued="drop")


def note(message: str) -> None:
    """Something that a person should know, and that ends nothing."""
    print(f"mouthpiece: {message}", file=sys.stderr)
