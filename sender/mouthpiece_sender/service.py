"""The service: settings in, everything started in order, the API served until it is told to stop, all of it ended."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import resource
import secrets
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import uvicorn

from mouthpiece.decode import Decoders
from mouthpiece.errors import ConfigurationError, MouthpieceError
from mouthpiece_sender.api.app import create_app
from mouthpiece_sender.api.bodies import Bodies
from mouthpiece_sender.api.bodies.kind import Kept
from mouthpiece_sender.api.metrics import Metrics
from mouthpiece_sender.api.page import find_page
from mouthpiece_sender.api.parts import Parts
from mouthpiece_sender.gateway import Gateway, GatewayOptions
from mouthpiece_sender.journal import MemoryJournal
from mouthpiece_sender.livekit_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.settings import MEGABYTE, Settings
from mouthpiece_sender.watched_journal import WatchedJournal

logger = logging.getLogger(__name__)

FILES = 16_384
"""Open files that are asked for: a room takes 65 of them (wire.md), an open sound and a request one each."""
REQUESTS_WITHIN = 2
"""Seconds that requests which are under way have when we are told to stop; then the rooms have theirs."""


async def run(settings: Settings, listening: socket.socket) -> None:
    """Until SIGTERM or Ctrl-C. ``listening`` stays the caller's.

    :raises ConfigurationError: the data folder cannot be used.
    """
    raise_file_limit(FILES)
    async with opened(settings) as parts:
        server = _Server(
            uvicorn.Config(
                create_app(parts, host=settings.host, page_folder=find_page(settings.web)),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=REQUESTS_WITHIN,
            ),
            parts.stopping,
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.stop)  # a second one changes nothing: stopping is bounded
        host, port = listening.getsockname()[:2]
        logger.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
        async with asyncio.TaskGroup() as tasks:
            look = tasks.create_task(_say_if_livekit_is_away(parts.api), name="first look at LiveKit")
            await server.serve(sockets=[listening])
            look.cancel()
        logger.info("stopping: what plays is interrupted, rooms are left, what waits stays stored")


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Parts]:
    """Everything that the API works with, running.

    :raises ConfigurationError: the data folder cannot be used.
    """
    data = settings.data.expanduser()
    access = LiveKitAccess(
        settings.livekit_url,
        settings.livekit_api_key,
        settings.livekit_api_secret.get_secret_value(),
        settings.public_url,
    )
    metrics = Metrics()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(_own_folder(data))
        instance = settings.instance
        if instance is None:
            instance = await asyncio.to_thread(kept_instance, data)
        api = await stack.enter_async_context(LiveKitApi(access))
        store = _Memory()
        spool = _Folder(Path(stack.enter_context(tempfile.TemporaryDirectory(dir=data))))
        decoders = await stack.enter_async_context(Decoders(max_duration=settings.max_seconds))
        journal = WatchedJournal(store)
        options = GatewayOptions(
            instance=instance,
            identity=settings.identity,
            name=settings.name,
            avatar_timeout=settings.avatar_timeout,
            warm=settings.warm,
            max_queue=settings.max_queue,
        )
        gateway = await stack.enter_async_context(Gateway(access, api, journal, options=options))
        metrics.watch(gateway)
        stopping = asyncio.Event()
        bodies = Bodies(
            spool,
            decoders,
            max_bytes=settings.max_upload * MEGABYTE,
            max_seconds=settings.max_seconds,
            stopping=stopping,
        )
        journal.watch(metrics.count_end)
        journal.watch(bodies.forget_ended)
        yield Parts(settings, access, api, gateway, store, bodies, metrics, stopping)


def kept_instance(data: Path) -> str:
    """The name of this sender, made when its data folder is first used."""
    file = data / "instance"
    with contextlib.suppress(FileNotFoundError):
        if name := file.read_text().strip():
            return name
    name = secrets.token_hex(4)
    file.write_text(f"{name}\n")
    return name


@contextlib.contextmanager
def _own_folder(data: Path) -> Iterator[None]:
    """Makes the folder, readable by its owner only, and keeps others of us out of it while the block runs.

    :raises ConfigurationError: it cannot be made or written, or another sender uses it.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(data / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"the data folder {data} cannot be used ({error.strerror}): name another one in MOUTHPIECE_DATA"
        ) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigurationError(
                f"another sender uses the data folder {data}: stop it, or name another folder in MOUTHPIECE_DATA"
            ) from None
        yield
    finally:
        os.close(lock)


async def _say_if_livekit_is_away(api: LiveKitApi) -> None:
    try:
        await api.check()
    except MouthpieceError as error:
        logger.warning("%s Until then /readyz says 503.", error)


def raise_file_limit(wanted: int) -> None:
    """As far as the system allows: the usual soft limit of 1,024 is reached at room 15."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Memory(MemoryJournal):
    """Until the store is there: keeps nothing beyond this process."""

    async def check(self) -> None:
        pass

    async def purge(self, segment_id: str) -> None:
        segment = await self.get(segment_id)
        self._segments[segment_id] = replace(segment, source=replace(segment.source, text=None))


class _Folder:
    """Until the spool is there: files of this process, no limits but those of a body."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, segment_id: str, chunks: AsyncIterator[bytes]) -> Kept:
        path, size = self._folder / segment_id, 0
        file = await asyncio.to_thread(path.open, "wb")
        try:
            async for chunk in chunks:
                size += await asyncio.to_thread(file.write, chunk)
        finally:
            await asyncio.to_thread(file.close)
        return Kept(path, size)

    async def remove(self, segment_id: str) -> None:
        await asyncio.to_thread((self._folder / segment_id).unlink, missing_ok=True)


class _Server(uvicorn.Server):
    """Without uvicorn's own signal handlers: they raise the signal again before the rooms have been left."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self._stopping.set()
        self.should_exit = True
