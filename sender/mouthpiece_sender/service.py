"""The service: settings in, everything started in order, the API served until it is told to stop, all of it ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import uvicorn

from mouthpiece.audio.decoders import Decoders
from mouthpiece.errors import MouthpieceError
from mouthpiece.process.file_limit import raise_file_limit
from mouthpiece.tts import create
from mouthpiece_sender.anam.settings import Via, default_tts_for_anam
from mouthpiece_sender.anam.target import AnamTarget
from mouthpiece_sender.api.app import create_app
from mouthpiece_sender.api.bodies import Bodies
from mouthpiece_sender.api.dependencies import Dependencies, LiveKit
from mouthpiece_sender.api.metrics import Metrics
from mouthpiece_sender.api.page import find_page
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.livekit.target import LiveKitTarget
from mouthpiece_sender.settings import MEGABYTE, Settings
from mouthpiece_sender.speech.voices import DEFAULT as OFFLINE
from mouthpiece_sender.speech.voices import Speech
from mouthpiece_sender.storage.recovery import end_what_was_left
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.storage.store import Store
from mouthpiece_sender.storage.watched_journal import WatchedJournal
from mouthpiece_sender.target import Target

logger = logging.getLogger(__name__)

FILES = 16_384
"""Open files that are asked for: a room takes 65 of them (wire.md), an open sound and a request one each."""
REQUESTS_WITHIN = 2
"""Seconds that requests which are under way have when we are told to stop; then the rooms have theirs."""


async def run(settings: Settings, listening: socket.socket, anam: AnamTarget | None = None) -> None:
    """Until SIGTERM or Ctrl-C. ``listening`` stays the caller's.

    :param anam: what is spoken through instead of LiveKit.
    :raises ConfigurationError: another sender uses the data folder.
    :raises StoreError: it cannot be written.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)  # a second one changes nothing: stopping is bounded
    raise_file_limit(FILES)
    async with opened(settings, stopping, anam=anam) as dependencies:
        await serve(dependencies, listening)
        logger.info("stopping: what plays is interrupted, rooms are left")


async def serve(dependencies: Dependencies, listening: socket.socket) -> None:
    """Answers requests on ``listening`` until ``dependencies.stopping`` is set."""
    settings = dependencies.settings
    page = await asyncio.to_thread(find_page, settings.web)
    app = await asyncio.to_thread(lambda: create_app(dependencies, host=settings.host, page_folder=page))
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=REQUESTS_WITHIN,
        )
    )
    host, port = listening.getsockname()[:2]
    logger.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    if page is None:
        logger.warning("the page is not built: `make web` builds it; the API works without it")
    async with asyncio.TaskGroup() as tasks:
        beside = [tasks.create_task(_end(server, dependencies), name="end of the server")]
        if dependencies.livekit is not None:
            beside.append(
                tasks.create_task(_say_if_livekit_is_away(dependencies.livekit.api), name="first look at LiveKit")
            )
        await server.serve(sockets=[listening])
        for task in beside:
            task.cancel()


@contextlib.asynccontextmanager
async def opened(
    settings: Settings,
    stopping: asyncio.Event,
    livekit: Callable[[LiveKitAccess], LiveKitApi] = LiveKitApi,
    *,
    anam: AnamTarget | None = None,
) -> AsyncIterator[Dependencies]:
    """Everything that the API works with, running. Who sets ``stopping`` has open requests answered at once.

    :param anam: what is spoken through instead of LiveKit.
    :raises ConfigurationError: another sender uses the data folder.
    :raises StoreError: it cannot be written.
    """
    data = settings.data.expanduser()
    metrics = Metrics()
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(data / "mouthpiece.db"))
        spool = await stack.enter_async_context(Spool(data / "sounds", min_free=settings.min_free * MEGABYTE))
        if left := await end_what_was_left(store, spool):
            logger.warning("%d segments that an earlier process left have been ended", left)
        server: LiveKit | None = None
        target: Target
        if anam is not None:
            target = await stack.enter_async_context(anam)
        else:
            access = _access(settings)
            instance = settings.instance
            if instance is None:
                instance = await asyncio.to_thread(kept_instance, data)
            server = LiveKit(access, await stack.enter_async_context(livekit(access)))
            target = LiveKitTarget(
                access,
                server.api,
                instance=instance,
                identity=settings.identity,
                name=settings.name,
                avatar_timeout=settings.avatar_timeout,
                warm=settings.warm,
            )
        decoders = await stack.enter_async_context(Decoders(max_duration=settings.max_seconds))
        speech = await stack.enter_async_context(Speech(default_tts(settings)))
        speech.warm()
        journal = WatchedJournal(store)
        gateway = await stack.enter_async_context(Gateway(target, journal, max_queue=settings.max_queue))
        metrics.watch(gateway)
        bodies = Bodies(
            spool,
            decoders,
            speech,
            max_bytes=settings.max_upload * MEGABYTE,
            max_seconds=settings.max_seconds,
        )
        journal.watch(metrics.count_end)
        journal.watch(bodies.forget_ended)
        yield Dependencies(settings, server, gateway, store, bodies, speech, metrics, stopping)


def default_tts(settings: Settings) -> str:
    """The provider that speaks a text which names none.

    :raises ConfigurationError: there is no such provider here, or it lacks something.
    """
    if not settings.tts:
        return default_tts_for_anam(os.environ) if settings.target is Via.ANAM else OFFLINE
    create(settings.tts)  # rather now than with the first text
    return settings.tts


def _access(settings: Settings) -> LiveKitAccess:
    return LiveKitAccess(
        settings.livekit_url,
        settings.livekit_api_key,
        settings.livekit_api_secret.get_secret_value(),
        settings.public_url,
    )


def kept_instance(data: Path) -> str:
    """The name of this sender, made when its data folder is first used."""
    file = data / "instance"
    with contextlib.suppress(FileNotFoundError):
        if name := file.read_text().strip():
            return name
    name = secrets.token_hex(4)
    file.write_text(f"{name}\n")
    return name


async def _end(server: uvicorn.Server, dependencies: Dependencies) -> None:
    await dependencies.stopping.wait()
    dependencies.bodies.stop()
    server.should_exit = True


async def _say_if_livekit_is_away(api: LiveKitApi) -> None:
    try:
        await api.check()
    except MouthpieceError as error:
        logger.warning("%s Until then /readyz says 503.", error)


class _Server(uvicorn.Server):
    """Without uvicorn's own signal handlers: they raise the signal again before the rooms have been left."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
