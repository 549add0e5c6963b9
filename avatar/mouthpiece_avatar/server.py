"""The avatar server as a process: options, socket, signals. ``python -m mouthpiece_avatar`` runs :func:`main`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from mouthpiece.errors import ConfigurationError
from mouthpiece.process.file_limit import file_limit, raise_file_limit
from mouthpiece.process.inspection import forbid_inspection
from mouthpiece.process.logs import set_up_service_logs
from mouthpiece.process.signals import STOP_SIGNALS, hold, stop_signals
from mouthpiece.process.sockets import listen
from mouthpiece.serving.connections import ConnectionLimits, Connections, guarded
from mouthpiece_avatar.app import create_app
from mouthpiece_avatar.conduct import Conduct
from mouthpiece_avatar.hosting import SessionHost
from mouthpiece_avatar.logs import FIELDS, SessionFormatter
from mouthpiece_avatar.processes.one_process import OneProcess
from mouthpiece_avatar.processes.supervisor import SessionProcesses
from mouthpiece_avatar.renderers import choose_renderers
from mouthpiece_avatar.settings import Settings, load_settings
from mouthpiece_avatar.testing import server_faults as faults

logger = logging.getLogger(__name__)

DESCRIPTION = """\
Serves avatars that need no key and no GPU: asked to (POST /v1/livekit/start-avatar, as Avaluma's avatar server),
it joins a LiveKit room as a face that speaks what agents of that room stream to it, and reports what was heard.
"""

EPILOG = """\
settings, from the environment or .env.local:
  MOUTHPIECE_AVATAR_HOST, _PORT     as --host and --port
  MOUTHPIECE_AVATAR_SECRETS         api-secret values that are let in, with commas between them; on loopback any is
  LIVEKIT_URL                       the LiveKit server that avatars may join
  MOUTHPIECE_AVATAR_LIVEKIT_URLS    several of them, with commas between them; without either: those on this machine
  MOUTHPIECE_AVATAR_RUNTIME         face (built in) or bithuman (bitHuman's SDK; needs the two settings below)
  BITHUMAN_API_SECRET, _MODEL_PATH  bitHuman's secret, and the .imx file of the avatar
  MOUTHPIECE_AVATAR_FACE            the face of avatars for which none was chosen (mia; others: noah, elena, kofi, yuki,
                                    robo). An avatar whose id, AVATAR_ID, is the name of a face has that one
  MOUTHPIECE_AVATAR_SIZE            lines of its square picture (512), or width and lines, as 1280x720
  MOUTHPIECE_AVATAR_BACKGROUND      a colour, as #f0f4f8, or the path of a picture
  MOUTHPIECE_AVATAR_MAX_SESSIONS    rooms at a time (20)
  MOUTHPIECE_AVATAR_PROCESSES       processes that run them, at most (one for each core); 1: the server itself
  MOUTHPIECE_AVATAR_ALONE           seconds in a room with nobody else, after which an avatar leaves it (60)

python -m mouthpiece_avatar mouth speech.wav           prints what the lips do to a sound file
python -m mouthpiece_avatar render speech.wav out.mp4  makes a film of a face that says it
python -m mouthpiece_avatar sheet kofi kofi.png        draws all shapes of a face; each has a --help

try it:
  python -m mouthpiece_avatar &
  curl http://127.0.0.1:8080/healthz
"""

_FILES_A_ROOM = 65
"""File descriptors that one rtc.Room holds (measured)."""
_FILES_BESIDE = 1256
"""File descriptors of everything else, connections to us among them."""
_STOP_WITHIN = 6
"""Seconds for requests that are under way at the end: a session that is called back takes up to 5."""


def main() -> int:
    """Run the server; return the exit code: 0 stopped by a signal, 1 could not start, 2 wrong usage or setting."""
    parser = argparse.ArgumentParser(
        "python -m mouthpiece_avatar",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (8080); 0 takes a free one")
    parser.add_argument(
        "--fault",
        metavar="NAME",
        help="do something wrong on purpose, to test a sender; list says what there is",
    )
    parser.add_argument("--verbose", action="store_true", help="log more, LiveKit's own messages too")
    options = parser.parse_args()
    if options.fault == "list":
        sys.stdout.write(faults.listed())
        return 0
    forbid_inspection()
    set_up_service_logs("mouthpiece_avatar", verbose=options.verbose, formatter=SessionFormatter())
    try:
        settings = load_settings(host=options.host, port=options.port)
        renderers = choose_renderers(settings)
        make_conduct = Conduct if options.fault is None else faults.conducts(options.fault)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    set_up_service_logs(
        "mouthpiece_avatar",
        verbose=options.verbose,
        form=settings.log_format,
        formatter=SessionFormatter(),
        fields=FIELDS,
    )
    processes = settings.processes_at_most()
    _raise_file_limit(settings.max_sessions)
    try:
        listening = listen(settings.host, settings.port)
    except OSError as error:
        sys.stderr.write(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}. Choose another address with "
            "--host and --port, or stop what listens there\n"
        )
        return 1
    hold(*STOP_SIGNALS)  # to the end of the process: one more signal while all is closed changes nothing
    with listening:
        host: contextlib.AbstractAsyncContextManager[SessionHost]
        if processes == 1:
            host = OneProcess(
                renderers,
                limit=settings.max_sessions,
                make_conduct=make_conduct,
                alone=settings.alone,
                arguments=_passed_on(options),
            )
        else:
            host = SessionProcesses(processes, limit=settings.max_sessions, arguments=_passed_on(options))
        gc.freeze()  # a collection of all that was imported holds pictures up for some 50 ms
        asyncio.run(_serve(settings, host, listening))
    return 0


def _passed_on(options: argparse.Namespace) -> list[str]:
    """Return the options for the processes that run sessions."""
    fault = [] if options.fault is None else ["--fault", options.fault]
    return fault + (["--verbose"] if options.verbose else [])


async def _serve(
    settings: Settings, host: contextlib.AbstractAsyncContextManager[SessionHost], listening: socket.socket
) -> None:
    async with (
        contextlib.AsyncExitStack() as stack,  # to its end: a signal while avatars leave their rooms ends nothing
        host as sessions,
    ):
        connections = Connections(ConnectionLimits.within(file_limit()))
        config = uvicorn.Config(
            create_app(settings, sessions, connections),
            http=guarded(AutoHTTPProtocol, connections),
            ws="none",
            proxy_headers=False,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_WITHIN,
        )
        server = _Server(config)

        def stop(_: signal.Signals) -> None:
            server.stop()
            sessions.stop()

        stack.enter_context(stop_signals(stop))
        address, port = listening.getsockname()[:2]
        logger.info("listening on http://%s:%d", f"[{address}]" if ":" in address else address, port)
        await server.serve(sockets=[listening])
        logger.info("stopping: avatars leave their rooms")


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers, which raise the signal again before the avatars have left their rooms."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """Stop; called again, do not wait for requests that are under way."""
        self.force_exit = self.should_exit
        self.should_exit = True


def _raise_file_limit(rooms: int) -> None:
    wanted = rooms * _FILES_A_ROOM + _FILES_BESIDE
    allowed = raise_file_limit(wanted)
    if allowed < wanted:
        logger.warning("%d rooms need %d open files, the system allows %d: raise ulimit -n", rooms, wanted, allowed)
