"""The worker, ``python -m mouthpiece_agents``: registers with LiveKit and runs a job for each dispatched room."""

from __future__ import annotations

import argparse
import asyncio
import functools
import logging
import math
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from livekit import api
from livekit.agents import AgentServer, JobProcess

from mouthpiece.dispatch import DEFAULT_AGENT_NAME
from mouthpiece.errors import ConfigurationError, LiveKitRefused, MouthpieceError
from mouthpiece.process.clock import clock_problem, http_url
from mouthpiece.process.env_file import load_env_file
from mouthpiece.process.json_logs import LogFormat
from mouthpiece.segments import utc_now
from mouthpiece_agents import signals
from mouthpiece_agents.admission import Admission
from mouthpiece_agents.avaluma_plugin import find_plugin
from mouthpiece_agents.job import end_job, run_job
from mouthpiece_agents.logs import set_up_logs
from mouthpiece_agents.lost_dispatches import LostDispatches
from mouthpiece_agents.settings import Settings, load_settings

logger = logging.getLogger(__name__)

JOB_END_TIMEOUT = 20.0
"""Seconds for a job to remove its avatar, beside MOUTHPIECE_DRAIN; its own bounds add up to 15
(:meth:`mouthpiece_agents.job.Job.aclose`)."""
PROCESS_END_TIMEOUT = 25.0
"""Seconds for its process to end, the job included, beside MOUTHPIECE_DRAIN; the compose file gives the worker 60."""
PROCESS_START_TIMEOUT = 60.0
"""Seconds; on a busy machine the first process imports for longer than livekit-agents' 10 s, and would be killed."""
LIVEKIT_CHECK_TIMEOUT = 5.0
"""Seconds."""
RETRIES = 1_000_000
"""Of the connection to LiveKit, at most 10 s apart: a worker that is started before LiveKit waits for it."""

EPILOG = f"""\
settings (from the environment or .env.local in the current folder):
  LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET   required
  AGENT_NAME                      jobs are dispatched to this name ({DEFAULT_AGENT_NAME})
  AVATAR_PROVIDER, AVATAR_ID      local or avaluma, and which avatar (local)
  MOUTHPIECE_AVATAR_URL           the local avatar server (http://127.0.0.1:8080)
  MOUTHPIECE_AVATAR_SECRET        its secret, where it does not run on loopback
  AVALUMA_LICENSE_KEY             required for avaluma
  AVATAR_SERVER_URL               Avaluma's avatar server (https://api.avaluma.ai)
  MOUTHPIECE_EMPTY_ROOM_TIMEOUT   seconds without a viewer until a job ends, 0 never (300)
  .env.local.example explains these and the rest.

job metadata (JSON, every key optional) overrides them for one room:
  {{"avatar": {{"provider": "local", "id": "demo"}}, "empty_timeout": 120}}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the worker; return the exit code: 0 ended by SIGTERM, 1 could not run, 2 usage or settings, 130 Ctrl-C.

    :param arguments: in place of the command line's.
    """
    options = _parser().parse_args(arguments)
    level = options.log_level or ("debug" if options.command == "dev" else "info")
    set_up_logs(level, LogFormat(options.log_format or LogFormat.TEXT))
    try:
        load_env_file(Path(".env.local"))
        settings = _with_options(load_settings(), options)
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201 - nothing runs yet: this is for the person at the terminal
        return 2
    set_up_logs(level, LogFormat(options.log_format or settings.log_format))
    try:
        return asyncio.run(run(settings))
    except MouthpieceError as error:
        logger.error("%s", error)
        return 1


async def run(settings: Settings) -> int:
    """Run the worker until SIGTERM or Ctrl-C; return the exit code.

    :raises LiveKitRefused: LiveKit does not know the key, or the secret is wrong.
    :raises ConfigurationError: the port of the health check is in use.
    """
    stop = asyncio.Event()
    signals.never_ignore()
    received = signals.watch(asyncio.get_running_loop(), stop)
    stopping = asyncio.create_task(stop.wait())
    checking = asyncio.create_task(check_livekit(settings))
    await asyncio.wait({checking, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not checking.done():
        checking.cancel()
        await asyncio.wait({checking})
    elif (error := checking.exception()) is not None:
        stopping.cancel()
        raise error
    if not stop.is_set():
        await _serve(settings, stopping)
    stopping.cancel()
    return 130 if received == [signal.SIGINT] else 0


async def _serve(settings: Settings, stopping: asyncio.Task[bool]) -> None:
    server, lost = build_server(settings), LostDispatches(settings)
    server.on("worker_registered", lost.start)
    serving = asyncio.create_task(server.run())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await lost.aclose()
    if not serving.done() and settings.drain_timeout:
        logger.info("waiting up to %g s for running jobs; a second signal ends at once", settings.drain_timeout)
        try:
            await server.drain(timeout=math.ceil(settings.drain_timeout))
        except TimeoutError:
            logger.info("ending the jobs that still run")
    await server.aclose()
    try:
        await serving
    except OSError as error:
        raise ConfigurationError(
            f"the health check cannot listen on {settings.host}:{settings.port} ({error.strerror}): "
            "set MOUTHPIECE_AGENTS_PORT or --port"
        ) from error


def build_server(settings: Settings) -> AgentServer:
    """Return the livekit-agents server of this worker, not yet running.

    Its load is the share of ``max_jobs`` that run. livekit-agents' default is the processor's load: these jobs compute
    nothing, and on a machine that is busy rendering avatars new rooms would get none.
    """
    server = AgentServer(
        ws_url=settings.livekit_url,
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret.get_secret_value(),
        host=settings.host,
        port=settings.port,
        num_idle_processes=settings.idle_processes,
        load_fnc=lambda server: min(1.0, len(server.active_jobs) / settings.max_jobs),
        load_threshold=math.inf,  # `Admission` counts exactly; a threshold would reject simultaneous requests
        max_retry=RETRIES,
        initialize_process_timeout=PROCESS_START_TIMEOUT,
        session_end_timeout=JOB_END_TIMEOUT + settings.drain,
        shutdown_process_timeout=PROCESS_END_TIMEOUT + settings.drain,
        setup_fnc=_prewarm,
        preload_modules=["mouthpiece_agents.job"],
    )

    admission = Admission(
        settings.max_jobs,
        agent_name=settings.agent_name,
        running=lambda: (running.job.id for running in server.active_jobs),
    )

    def ready() -> None:
        logger.info("ready: jobs for the agent name %s are taken", settings.agent_name)

    server.on("worker_registered", ready)
    server.rtc_session(
        functools.partial(run_job, settings=settings),
        agent_name=settings.agent_name,
        on_request=admission.answer,
        on_session_end=end_job,
    )
    return server


async def check_livekit(settings: Settings) -> None:
    """Check the key and the secret with one call, since livekit-agents retries a refused connection without end.

    A LiveKit that cannot be reached is logged and is no error.

    :raises LiveKitRefused: LiveKit does not know the key, or the secret is wrong.
    """
    key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    try:
        async with asyncio.timeout(LIVEKIT_CHECK_TIMEOUT), api.LiveKitAPI(settings.livekit_url, key, secret) as livekit:
            await livekit.room.list_rooms(api.ListRoomsRequest(names=["mouthpiece-check"]))
    except api.TwirpError as error:
        if error.status in (401, 403):
            clock = clock_problem(await _date(settings.livekit_url), utc_now())
            raise LiveKitRefused(
                f"LiveKit refused us: {clock}"
                if clock is not None
                else "LiveKit refused the key: LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be a pair that it knows"
            ) from None
        logger.warning("LiveKit answered %s to a first call; going on", error.code)
    except (aiohttp.ClientError, TimeoutError, OSError):
        logger.warning("LiveKit cannot be reached at LIVEKIT_URL yet; the worker keeps trying")


async def _date(url: str) -> str | None:
    """The time by LiveKit's clock, as the header of an answer says it; None: it does not."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIVEKIT_CHECK_TIMEOUT)) as session,
            session.get(http_url(url), allow_redirects=False) as answer,
        ):
            return answer.headers.get("Date")
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


def _prewarm(_: JobProcess) -> None:
    find_plugin()


def _with_options(settings: Settings, options: argparse.Namespace) -> Settings:
    given = {name: getattr(options, name) for name in ("host", "port", "agent_name")}
    changes = {name: value for name, value in given.items() if value is not None}
    if options.command == "dev":
        changes |= {"idle_processes": 0}
    return settings.model_copy(update=changes)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mouthpiece_agents",
        description="The LiveKit Agents worker: starts an avatar in every room that it is dispatched to, and starts it "
        "again if it leaves. SIGTERM or Ctrl-C ends the worker and its avatars.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=("start", "dev"),
        default="start",
        help="start (the default) runs the worker; dev the same with debug logs and no process kept warm",
    )
    parser.add_argument("--host", help="address of the health check (MOUTHPIECE_AGENTS_HOST, 127.0.0.1)")
    parser.add_argument("--port", type=_port, help="port of the health check (MOUTHPIECE_AGENTS_PORT, 8081); 0: any")
    parser.add_argument("--agent-name", help=f"the name that jobs are dispatched to (AGENT_NAME, {DEFAULT_AGENT_NAME})")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="info, and debug with dev")
    parser.add_argument("--log-format", choices=("text", "json"), help="MOUTHPIECE_LOG_FORMAT, or text")
    return parser
