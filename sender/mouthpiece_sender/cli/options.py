"""Options that several commands share, and the settings behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mouthpiece.errors import ConfigurationError
from mouthpiece.process.env_file import environment_over
from mouthpiece.segments import Mode, OnLoss
from mouthpiece_sender.livekit.server_api import LiveKitAccess

DEFAULT_SERVICE = "http://127.0.0.1:8090"
DEFAULT_DATA = "~/.local/share/mouthpiece"
LONGEST_WAIT = 86_400.0
"""Seconds; the largest ``expires_in``, as in the service's API."""


def _check_expires_in(seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds <= LONGEST_WAIT:  # nan is neither
        raise typer.BadParameter(f"must be more than 0 and at most {LONGEST_WAIT:g} seconds.")
    return seconds


Room = Annotated[
    str, typer.Option("--room", "-r", envvar="MOUTHPIECE_ROOM", help="The room's name.", show_default=False)
]
RoomIfAny = Annotated[
    str | None,
    typer.Option(
        "--room", "-r", envvar="MOUTHPIECE_ROOM", help="The room's name; --via anam needs none.", show_default=False
    ),
]
Url = Annotated[
    str | None, typer.Option("--url", help="LiveKit's address (ws:// or wss://); else LIVEKIT_URL.", show_default=False)
]
SecretFile = Annotated[
    Path | None,
    typer.Option(
        "--api-secret-file",
        help="File that holds the API secret; else LIVEKIT_API_SECRET. Never give it on the command line.",
        show_default=False,
    ),
]
Service = Annotated[
    str | None,
    typer.Option(
        "--service",
        envvar="MOUTHPIECE_SERVICE",
        help=f"Go through a running service instead of joining the room, e.g. {DEFAULT_SERVICE}. "
        "Its key, if it requires one, is read from MOUTHPIECE_API_KEY.",
        show_default=False,
    ),
]
RunningService = Annotated[
    str, typer.Option("--service", envvar="MOUTHPIECE_SERVICE", help="The running service's address.")
]
Avatar = Annotated[
    str | None,
    typer.Option(
        "--avatar",
        help="The avatar's identity, where the room has several; with --via anam its id there, else ANAM_AVATAR_ID.",
        show_default=False,
    ),
]
ModeOption = Annotated[
    Mode, typer.Option("--mode", help="If another segment plays: wait, stop it and go first, or give up.")
]
OnLossOption = Annotated[
    OnLoss, typer.Option("--on-loss", help="If the avatar is lost in the middle: give up, or play it again.")
]
ExpiresIn = Annotated[
    float | None,
    typer.Option(
        "--expires-in", help="Seconds that it may wait, more than 0.", callback=_check_expires_in, show_default=False
    ),
]
WaitForViewer = Annotated[bool, typer.Option("--wait-for-viewer", help="Wait until a viewer is in the room.")]
NoInterrupt = Annotated[bool, typer.Option("--no-interrupt", help="No other segment may interrupt it.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="With --service: submit it and exit.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="The service's data folder; else MOUTHPIECE_DATA.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON for each segment, and for an error.")]


def on_command_line(context: typer.Context, name: str) -> bool:
    """Return whether the option with this parameter was on the command line, not in the environment or a default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def environment() -> dict[str, str]:
    """Return the environment over .env.local; empty values count as not set."""
    return environment_over(Path(".env.local"))


def data_folder(given: Path | None) -> Path:
    """Return the data folder of the service: the option's, else that of the settings."""
    return given or Path(environment().get("MOUTHPIECE_DATA", DEFAULT_DATA)).expanduser()


def livekit_access(url: str | None, secret_file: Path | None) -> LiveKitAccess:
    """Return LiveKit's address, key and secret, from these options or else from the settings.

    :raises ConfigurationError: one of them is missing or wrong, and the message names it; or the secret's file cannot
        be read.
    """
    known = environment()
    if url is not None:
        known["LIVEKIT_URL"] = url
    if secret_file is not None:
        try:
            known["LIVEKIT_API_SECRET"] = secret_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"--api-secret-file {secret_file} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise ConfigurationError(f"--api-secret-file {secret_file} holds no secret: it is not text.") from None
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    if missing := [name for name in names if not known.get(name)]:
        raise ConfigurationError(
            f"{', '.join(missing)} not set: set it in the environment or in .env.local (see .env.local.example), "
            "or go through a running service with --service."
        )
    address, key, secret = (known[name] for name in names)
    return LiveKitAccess.checked(address, key, secret, known.get("LIVEKIT_PUBLIC_URL"))
