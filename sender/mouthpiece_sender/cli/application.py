"""The command line, built from the table of commands."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final

import typer

from mouthpiece.extras import DISTRIBUTION
from mouthpiece_sender.cli.commands import COMMANDS

ABOUT: Final = """\
Speak through the avatar in a LiveKit room, from any service or shell.

Settings come from the environment or from .env.local in this folder; .env.local.example explains each.
"""


def application(chosen: str | None) -> typer.Typer:
    """Return the command line in which ``chosen`` can be called.

    The other commands are only listed: importing them all would make ``--help`` slow.
    """
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
    function: Callable[..., Any] = getattr(importlib.import_module(f"{__package__}.{name}"), name)
    return function


def _listed() -> None:
    raise AssertionError("a command that was not chosen was called")


def _say_version(asked: bool) -> None:
    if asked:
        print(version(DISTRIBUTION))
        raise typer.Exit


def _options(
    version_asked: bool = typer.Option(
        False, "--version", help="Say the version and exit.", is_eager=True, callback=_say_version
    ),
) -> None:
    pass  # the callback of --version runs before typer misses a command
