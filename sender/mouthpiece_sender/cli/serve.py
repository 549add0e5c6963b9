"""``mouthpiece serve``."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Annotated, NoReturn

import typer

from mouthpiece.errors import ConfigurationError, StoreError
from mouthpiece.process.allocator import return_large_blocks
from mouthpiece.process.inspection import forbid_inspection
from mouthpiece.process.logs import set_up_service_logs
from mouthpiece.process.signals import STOP_SIGNALS, hold
from mouthpiece.process.sockets import listen
from mouthpiece_sender.anam.errors import RecordingFailed
from mouthpiece_sender.anam.settings import Via
from mouthpiece_sender.cli.via_anam import Record, ViaOption, View, anam_target, check_for_anam, check_without_anam
from mouthpiece_sender.logs import FIELDS
from mouthpiece_sender.service import run
from mouthpiece_sender.settings import load_settings


def serve(
    context: typer.Context,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; else MOUTHPIECE_SENDER_HOST, else 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port; else MOUTHPIECE_SENDER_PORT, else 8090; 0 takes a free one."),
    ] = None,
    via: ViaOption = None,
    view: View = False,
    record: Record = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more, LiveKit's own messages too.")] = False,
) -> None:
    """Run the HTTP API and the page, until Ctrl-C.

    To listen beyond this machine it needs MOUTHPIECE_API_KEYS. Once it is stopped, what plays may end
    (MOUTHPIECE_DRAIN, 20 s); the rest is said after the next start.

    Exit codes: 0 stopped as asked, 1 could not start or the recording failed, 2 wrong usage or setting.

    Examples:

      mouthpiece serve

      MOUTHPIECE_API_KEYS=$(openssl rand -hex 24) mouthpiece serve --host 0.0.0.0

      ANAM_API_KEY=… mouthpiece serve --via anam --view
    """
    forbid_inspection()
    return_large_blocks()
    set_up_service_logs("mouthpiece_sender", verbose=verbose)
    try:
        settings = load_settings(host=host, port=port, target=via)
        anam = None
        if settings.target is Via.ANAM:
            check_for_anam(context, record)
            anam = anam_target(
                None,
                ready_timeout=settings.avatar_timeout,
                warm=settings.warm,
                view=view,
                record=record,
                on_quit=lambda: signal.raise_signal(signal.SIGTERM),
            )
        else:
            check_without_anam(view, record)
    except ConfigurationError as error:
        _fail(str(error), 2)
    try:
        listening = listen(settings.host, settings.port)
    except OSError as error:
        _fail(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}. Choose another address with --host "
            "and --port, or stop what listens there",
            1,
        )
    set_up_service_logs("mouthpiece_sender", verbose=verbose, form=settings.log_format, fields=FIELDS)
    hold(*STOP_SIGNALS)  # to the end of the process: one more Ctrl-C while all is closed changes nothing
    with listening:
        try:
            asyncio.run(run(settings, listening, anam))
        except ConfigurationError as error:
            _fail(str(error), 2)
        except StoreError as error:
            _fail(f"{error} The data folder is MOUTHPIECE_DATA ({settings.data}).", 1)
        except RecordingFailed as error:
            _fail(str(error), 1)


def _fail(message: str, code: int) -> NoReturn:
    print(f"mouthpiece: {message}", file=sys.stderr)
    sys.exit(code)
