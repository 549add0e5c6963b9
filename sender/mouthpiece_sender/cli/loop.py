"""``mouthpiece loop``: the seed's simulation of a service that speaks every few seconds."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Annotated

import typer

from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.outcome import ExitCode, exit_code_of, fail, run, sentence
from mouthpiece_sender.cli.play import AvatarTimeout, Identity
from mouthpiece_sender.cli.progress import watch
from mouthpiece_sender.cli.target import How, room_target, service_target


def loop(
    file: Annotated[Path, typer.Argument(help="A sound file.", exists=True, dir_okay=False, readable=True)],
    room: options.Room,
    interval: Annotated[float, typer.Option(min=0.0, help="Seconds of silence before each time.")] = 5.0,
    times: Annotated[int, typer.Option(min=0, help="How often; 0 is until Ctrl-C.")] = 0,
    avatar: options.Avatar = None,
    service: options.Service = None,
    url: options.Url = None,
    api_secret_file: options.SecretFile = None,
    identity: Identity = None,
    avatar_timeout: AvatarTimeout = 30.0,
    as_json: options.Json = False,
) -> None:
    """Say a sound file again and again, with a pause before each time, until Ctrl-C.

    One that fails is told, and the next one is tried: an avatar that comes back is spoken to again.

    Example:

      mouthpiece loop assets/hello_world_16kHz.wav --room demo --interval 5
    """

    async def work() -> int:
        where = (
            service_target(service, room, avatar)
            if service is not None
            else room_target(
                options.livekit_access(url, api_secret_file),
                room,
                avatar=avatar,
                identity=identity,
                avatar_timeout=avatar_timeout,
            )
        )
        code = ExitCode.FINISHED
        async with where as target:
            for _ in range(times) if times else itertools.count():
                await asyncio.sleep(interval)
                segment = await watch(await target.play(file, How()), quiet=as_json)
                code = exit_code_of(segment)
                if as_json:
                    print(json.dumps(segment), flush=True)
                elif code:
                    fail(sentence(segment))
                else:
                    print(sentence(segment), flush=True)
        return code

    run(work)
