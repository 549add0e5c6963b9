"""``mouthpiece play``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mouthpiece.segments import Mode, OnLoss
from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.destination import SegmentOptions
from mouthpiece_sender.cli.destination_options import destination_options
from mouthpiece_sender.cli.input_file import input_file
from mouthpiece_sender.cli.outcome import exit_code_of, fail, run, sentence
from mouthpiece_sender.cli.progress import watch
from mouthpiece_sender.cli.via_anam import Record, ViaOption, View

Identity = Annotated[
    str | None,
    typer.Option("--identity", help="Join with this identity, for a receiver bound to it.", show_default=False),
]
AvatarTimeout = Annotated[float, typer.Option("--avatar-timeout", min=0.1, help="Seconds to wait for an avatar.")]


def play(
    context: typer.Context,
    sound: Annotated[str, typer.Argument(metavar="FILE|URL|-", help="A sound file, its address, or - for stdin.")],
    room: options.RoomIfAny = None,
    avatar: options.Avatar = None,
    mode: options.ModeOption = Mode.APPEND,
    on_loss: options.OnLossOption = OnLoss.DROP,
    expires_in: options.ExpiresIn = None,
    wait_for_viewer: options.WaitForViewer = False,
    no_interrupt: options.NoInterrupt = False,
    no_wait: options.NoWait = False,
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
    """Play a sound file through the avatar in a room, and wait until it was heard.

    WAV, FLAC, MP3, Ogg and Opus of any rate and length. Ctrl-C stops the avatar too.

    Exit codes: 0 finished, 1 failed, 2 usage, 3 no avatar in time, 4 unknown, 5 interrupted, cancelled, expired or
    ignored, 130 Ctrl-C.

    Examples:

      mouthpiece play hello.wav --room demo

      curl -s https://example.org/news.mp3 | mouthpiece play - --room demo

      mouthpiece play hello.wav --room demo --service http://127.0.0.1:8090 --mode interrupt

      mouthpiece play hello.wav --via anam --view --record hello.mp4
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
    if no_wait and service is None:
        raise typer.BadParameter("goes with --service: alone, leaving stops the avatar.", param_hint="--no-wait")
    segment_options = SegmentOptions(mode, on_loss, not no_interrupt, wait_for_viewer, expires_in)

    async def work() -> int:
        async with input_file(sound) as path, chosen.open() as destination:
            handle = await destination.play(path, segment_options)
            segment = await handle.now() if no_wait else await watch(handle, quiet=as_json)
        code = exit_code_of(segment)
        if as_json:
            print(json.dumps(segment))
        elif code:
            fail(sentence(segment))
        else:
            print(sentence(segment))
        return code

    run(work, as_json=as_json)
