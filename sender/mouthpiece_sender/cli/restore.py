"""``mouthpiece restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.outcome import ExitCode, run
from mouthpiece_sender.storage import backup as storage


def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `mouthpiece backup` wrote.", show_default=False)],
    data: options.Data = None,
    paused: Annotated[
        bool, typer.Option("--paused", help="Pause the rooms of what waits: nothing is said before they are resumed.")
    ] = False,
) -> None:
    """Put a backup in place as the data folder of a service that does not run; what lies there is moved aside.

    The service that is started then goes on with what waited when the backup was made, also with what was said since:
    with --paused it says nothing by itself.

    Examples:

      mouthpiece restore --paused backups/monday
    """

    async def work() -> int:
        place = options.data_folder(data)
        made, aside = storage.restore(folder, place, paused=paused)
        print(f"{place}: {made.segments} segments, {made.waiting} of them not ended, {made.sounds} sounds")
        if aside is not None:
            print(f"what was there is in {aside}")
        return ExitCode.FINISHED

    run(work)
