"""``mouthpiece``: a table of commands, each a function in a module of its own that is imported when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Final

import typer

COMMANDS: Final[Mapping[str, str]] = {
    "serve": "Run the HTTP API and the page.",
    "play": "Say a sound file through the avatar in a room.",
    "say": "Say a text through the avatar in a room.",
    "loop": "Say a sound file again and again.",
    "interrupt": "Stop what a running service is saying.",
    "rooms": "List the rooms and who is in them.",
    "token": "Make a token with which a viewer can join.",
    "demo": "Start everything on this machine and speak a greeting.",
}
"""``name`` is the function of that name in ``mouthpiece_sender.cli.<name>``; the line is what --help lists."""

ABOUT: Final = """\
Speak through the avatar in a LiveKit room, from any service or shell.

Settings come from the environment or from .env.local in this folder; .env.local.example explains each of them.
"""


def main() -> None:
    """The command ``mouthpiece``."""
    chosen = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    try:
        application(chosen)()
    except KeyboardInterrupt:  # before a command's own handling of it
        sys.exit(130)


def application(chosen: str | None) -> typer.Typer:
    """The command line in which ``chosen`` can be called; the other commands are only listed: to import them all would
    make ``--help`` slow."""
    app = typer.Typer(
        name="mouthpiece",
        help=ABOUT,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name, line in COMMANDS.items():
        if name == chosen:
            app.command(name)(_imported(name))
        else:
            app.command(name, help=line)(_listed)
    return app


def _imported(name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(importlib.import_module(f"{__name__}.{name}"), name)
    return function


def _listed() -> None:
    raise AssertionError("a command that was not chosen was called")


def _say_version(asked: bool) -> None:
    if asked:
        print(version("mouthpiece"))
        raise typer.Exit


def _options(
    version_asked: bool = typer.Option(
        False, "--version", help="Say the version and exit.", is_eager=True, callback=_say_version
    ),
) -> None:
    pass  # what --version does happens before a command is missed
