"""``mouthpiece backup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.outcome import ExitCode, run
from mouthpiece_sender.storage import backup as storage


def backup(
    folder: Annotated[Path, typer.Argument(help="The folder to write; it must not be there yet.", show_default=False)],
    data: options.Data = None,
) -> None:
    """Copy the data folder of a service, also while it runs: segments, their sounds, and the sender's name.

    The copy is a data folder like any other, readable by you alone; `mouthpiece restore` puts it in place. It holds
    what is to be said, and a later purge does not reach it.

    Examples:

      mouthpiece backup backups/monday
    """

    async def work() -> int:
        made = storage.back_up(options.data_folder(data), folder)  # nothing else runs in this process
        print(
            f"{folder}: {made.segments} segments, {made.waiting} of them not ended, {made.sounds} sounds, "
            f"{made.bytes / 1e6:.1f} MB"
        )
        return ExitCode.FINISHED

    run(work)
