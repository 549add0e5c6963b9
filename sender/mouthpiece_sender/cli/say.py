"""``mouthpiece say``."""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import AsyncIterable
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated

import typer

from mouthpiece.segments import Mode, OnLoss
from mouthpiece.tts import TTS
from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.destination import SegmentOptions, read_ahead
from mouthpiece_sender.cli.destination_options import destination_options
from mouthpiece_sender.cli.outcome import ExitCode, exit_code_of, fail, run, sentence
from mouthpiece_sender.cli.own_tts import own_tts
from mouthpiece_sender.cli.play import AvatarTimeout, Identity
from mouthpiece_sender.cli.progress import watch
from mouthpiece_sender.cli.text_input import standard_input
from mouthpiece_sender.cli.via_anam import Record, ViaOption, View


class Written(enum.StrEnum):
    PLAIN = "plain"
    MARKDOWN = "markdown"


def say(
    context: typer.Context,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT|-", help="The text, or - for stdin.", show_default=False)
    ] = None,
    room: options.RoomIfAny = None,
    text_option: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="The text, instead of TEXT.", show_default=False)
    ] = None,
    voice: Annotated[
        str | None, typer.Option("--voice", help="The voice's id; else the provider's default.", show_default=False)
    ] = None,
    tts: Annotated[
        str | None,
        typer.Option(
            "--tts",
            metavar="NAME|MODULE:CLASS",
            help="The provider: offline, espeak, openai, elevenlabs, livekit:PLUGIN, or a TTS class of your own.",
            show_default="offline, or the one that has --voice; with --via anam elevenlabs, if its key is set",
        ),
    ] = None,
    text_format: Annotated[
        Written, typer.Option("--text-format", help="markdown: read what a language model writes as a person would.")
    ] = Written.PLAIN,
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
    """Say a text through the avatar in a room, and wait until it was heard.

    It begins with the first sentence. From standard input (-) each sentence is said as it comes, and typed text after a
    second without more. Ctrl-C stops the avatar too.

    Exit codes: 0 finished, 1 failed, 2 usage, 3 no avatar in time, 4 unknown, 5 interrupted, cancelled, expired or
    ignored, 130 Ctrl-C.

    Examples:

      mouthpiece say "Hello. It is good to see you." --room demo

      mouthpiece say --text "Hello, this is a test" --voice heart --room demo

      my-language-model | mouthpiece say - --text-format markdown --room demo

      mouthpiece say "Bonjour tout le monde" --tts espeak --voice fr --room demo

      mouthpiece say "Hello" --tts my_voice:MyTTS --room demo

      mouthpiece say "Hello" --via anam --view
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
    if (text is None) == (text_option is None):
        raise typer.BadParameter("give the text once: as TEXT, as --text TEXT, or - for stdin.", param_hint="TEXT")
    if no_wait and service is None:
        raise typer.BadParameter("goes with --service: alone, leaving stops the avatar.", param_hint="--no-wait")
    whole = text_option if text is None else text
    assert whole is not None
    words: str | AsyncIterable[str] = standard_input() if text == "-" else whole
    segment_options = SegmentOptions(mode, on_loss, not no_interrupt, wait_for_viewer, expires_in)
    segment_options = replace(segment_options, text_format="markdown" if text_format is Written.MARKDOWN else "plain")

    async def work() -> int:
        provider = own_tts(tts)
        typed = text == "-" and sys.stdin is not None and sys.stdin.isatty()
        if typed:
            print("Type, and Enter; Ctrl-D ends.", file=sys.stderr)
        code = ExitCode.FINISHED
        try:
            async with (
                chosen.open() as destination,
                aclosing(read_ahead(await destination.say(words, segment_options, voice, provider))) as handles,
            ):
                async for handle in handles:
                    quiet = as_json or typed  # a bar would be drawn over the line that is being typed
                    segment = await handle.now() if no_wait else await watch(handle, quiet=quiet)
                    outcome = exit_code_of(segment)
                    code = code or outcome
                    if as_json:
                        print(json.dumps(segment), flush=True)
                    elif outcome:
                        fail(sentence(segment))
                    else:
                        print(sentence(segment), flush=True)
        finally:
            if isinstance(provider, TTS):
                await provider.close()
        return code

    run(work, as_json=as_json)
