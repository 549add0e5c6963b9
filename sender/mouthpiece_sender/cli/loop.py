"""``mouthpiece loop``: Avaluma's simulation of a service that speaks every few seconds."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Annotated

import typer

from mouthpiece.errors import MouthpieceError
from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.destination import SegmentOptions
from mouthpiece_sender.cli.destination_options import destination_options
from mouthpiece_sender.cli.outcome import ExitCode, exit_code_of, fail, fail_with, run, sentence
from mouthpiece_sender.cli.play import AvatarTimeout, Identity
from mouthpiece_sender.cli.progress import watch
from mouthpiece_sender.cli.via_anam import Record, ViaOption, View

AFTER_FAILURE = 1.0
"""Minimum seconds before the next segment after one that failed, which might fail again at once."""


def loop(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A sound file.", exists=True, dir_okay=False, readable=True)],
    room: options.RoomIfAny = None,
    interval: Annotated[float, typer.Option(min=0.0, help="Seconds of silence before each time.")] = 5.0,
    times: Annotated[int, typer.Option(min=0, help="Number of times; 0 is until Ctrl-C.")] = 0,
    avatar: options.Avatar = None,
    service: options.Service = None,
    url: options.Url = None,
    api_secret_file: options.SecretFile = None,
    identity: Identity = None,
    avatar_timeout: AvatarTimeout = 30.0,
    via: ViaOption = None,
    view: View = False,
    record: Record = None,
    as_json: options.Json = False,
) -> None:
    """Play a sound file again and again, with a pause before each time, until Ctrl-C.

    A segment that fails is printed, and the next one is tried: an avatar that comes back speaks again. The exit code is
    then that of the first one that failed.

    Example:

      mouthpiece loop assets/hello_world_16kHz.wav --room demo --interval 5
    """

    chosen = destination_options(
        context,
        room,
        avatar=avatar,
        service=service,
        url=url,
        api_secret_file=api_secret_file,
        identity=identity,
        avatar_timeout=avatar_timeout,
        via=via,
        view=view,
        record=record,
    )

    async def work() -> int:
        code = ExitCode.FINISHED
        pause = interval
        async with chosen.open() as destination:
            for _ in range(times) if times else itertools.count():
                if await destination.sleep(pause):
                    break
                try:
                    segment = await watch(await destination.play(file, SegmentOptions()), quiet=as_json)
                except MouthpieceError as error:
                    fail_with(error, as_json=as_json)
                    code = code or ExitCode.FAILED
                    pause = max(interval, AFTER_FAILURE)
                    continue
                outcome = exit_code_of(segment)
                pause = max(interval, AFTER_FAILURE) if outcome else interval
                code = code or outcome
                if as_json:
                    print(json.dumps(segment), flush=True)
                elif outcome:
                    fail(sentence(segment))
                else:
                    print(sentence(segment), flush=True)
        return code

    run(work, as_json=as_json)
