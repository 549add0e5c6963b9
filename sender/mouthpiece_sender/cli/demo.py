"""``mouthpiece demo``; see :mod:`mouthpiece_sender.demo`."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Join as a viewer, speak a file, judge what arrived; exit 0 or 1.")
    ] = False,
) -> None:
    """Start LiveKit, avatar, worker and sender on this machine, speak a greeting, and print the page's address.

    Ctrl-C stops everything.
    """
    from mouthpiece_sender.demo import command

    raise typer.Exit(command.run(check=check))
