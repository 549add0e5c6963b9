"""The service: opens everything in order, serves the API until it is asked to stop, and closes everything."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from mouthpiece.audio.decoders import Decoders
from mouthpiece.audio.loudness import loudness_of
from mouthpiece.errors import MouthpieceError
from mouthpiece.net_guard import guarded_client
from mouthpiece.process.file_limit import file_limit, raise_file_limit
from mouthpiece.process.json_logs import LogFormat
from mouthpiece.process.settings import SHORTEST_KEY, SHORTEST_SECRET
from mouthpiece.process.signals import stop_signals
from mouthpiece.process.sockets import is_loopback
from mouthpiece.serving.byte_budget import ByteBudget
from mouthpiece.serving.connections import ConnectionLimits, Connections, guarded
from mouthpiece.tts import create
from mouthpiece_sender.anam.settings import Via, default_tts_for_anam
from mouthpiece_sender.anam.target import AnamTarget
from mouthpiece_sender.api.app import create_app
from mouthpiece_sender.api.bodies import BodyReader, Media
from mouthpiece_sender.api.callers import Callers
from mouthpiece_sender.api.dependencies import Dependencies, LiveKit
from mouthpiece_sender.api.metrics import Metrics
from mouthpiece_sender.api.page import find_page
from mouthpiece_sender.api.segment_watch import SegmentWatch
from mouthpiece_sender.events.feed import Feed
from mouthpiece_sender.events.room_log import RoomLog
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.key_files import DEVELOPMENT_API_KEY, KeyFile, KeyFiles, api_keys_in, livekit_key_in
from mouthpiece_sender.livekit.joins import ConnectionFigures, Joins
from mouthpiece_sender.livekit.open_streams import OpenStreams
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.livekit.target import LiveKitTarget
from mouthpiece_sender.settings import MEGABYTE, Settings
from mouthpiece_sender.speech.voices import DEFAULT as OFFLINE
from mouthpiece_sender.speech.voices import Voices, lexicon_of
from mouthpiece_sender.storage.retention import Retention
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.storage.store import Store
from mouthpiece_sender.storage.watched_journal import WatchedJournal
from mouthpiece_sender.stored_sounds import StoredSounds
from mouthpiece_sender.target import Target
from mouthpiece_sender.webhooks.dispatch import Dispatch
from mouthpiece_sender.webhooks.sending import WebhookSender

if TYPE_CHECKING:
    from mouthpiece_sender.tracing import SegmentTracer

logger = logging.getLogger(__name__)

FILES = 16_384
"""Open files to ask the system for: a room takes 65 of them (docs/wire.md), an open sound and a request one each."""
IN_FLIGHT = 32 * MEGABYTE
"""Bytes that bodies hold in memory together while they arrive."""
SHUTDOWN_TIMEOUT = 2
"""Seconds for requests in progress when the service stops; the rooms are closed after them, with their own limit."""

KEEP_ALIVE = 75
"""Seconds that a connection stays open after an answer: longer than clients and proxies keep theirs in a pool (60 s is
common), so that none sends into a connection that we close."""


URL_TIMEOUT = 10.0
"""Seconds to connect to the host of a caller's URL, and between two blocks of its answer."""


async def run(settings: Settings, listening: socket.socket, anam: AnamTarget | None = None) -> None:
    """Run the service until SIGTERM or Ctrl-C. ``listening`` stays the caller's to close. SIGHUP has keys read again
    that lie in files; where none do it stops the service too.

    :param anam: the target, instead of LiveKit.
    :raises ConfigurationError: another process uses the data folder, or ``MOUTHPIECE_TTS`` cannot be used.
    :raises StoreError: the data folder cannot be written.
    """
    stopping, rotated = asyncio.Event(), asyncio.Event()
    raise_file_limit(FILES)
    hung_up = rotated if settings.has_key_files else stopping
    under_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    with stop_signals(
        lambda _: stopping.set(),  # a second signal changes nothing: stopping has a bound
        hung_up=None if under_nohup and hung_up is stopping else hung_up.set,
    ):
        await asyncio.sleep(0)  # a signal that was held is received now
        if stopping.is_set():
            logger.info("stopping: it was asked to before it began")
            return
        async with open_dependencies(settings, stopping, anam=anam, rotated=rotated) as dependencies:
            await serve(dependencies, listening)


async def serve(dependencies: Dependencies, listening: socket.socket) -> None:
    """Answer requests on ``listening`` until ``dependencies.stopping`` is set."""
    settings = dependencies.settings
    page = await asyncio.to_thread(find_page, settings.web)
    connections = Connections(ConnectionLimits.within(file_limit()))
    app = await asyncio.to_thread(
        lambda: create_app(dependencies, host=settings.host, page_folder=page, connections=connections)
    )
    server = _Server(
        uvicorn.Config(
            app,
            http=guarded(AutoHTTPProtocol, connections),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
            timeout_keep_alive=KEEP_ALIVE,
        )
    )
    host, port = listening.getsockname()[:2]
    logger.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    if page is not None and (link := key_link(settings.own_api_keys, host, port)):
        logger.info("the page, with the development key: %s", link)
    if page is None:
        logger.warning("the page is not built: `make web` builds it; the API works without it")
    async with asyncio.TaskGroup() as tasks:
        beside = [tasks.create_task(_stop_when_asked(server, dependencies), name="stop-server")]
        if dependencies.livekit is not None:
            beside.append(tasks.create_task(_warn_if_livekit_is_away(dependencies.livekit.api), name="check-livekit"))
        await server.serve(sockets=[listening])
        for task in beside:
            task.cancel()


@contextlib.asynccontextmanager
async def open_dependencies(
    settings: Settings,
    stopping: asyncio.Event,
    livekit: Callable[[LiveKitAccess], LiveKitApi] = LiveKitApi,
    *,
    anam: AnamTarget | None = None,
    rotated: asyncio.Event | None = None,
) -> AsyncIterator[Dependencies]:
    """Open everything that the API works with; leaving the context closes it.

    :param stopping: once it is set, requests that wait are answered at once.
    :param livekit: makes the client of LiveKit's server API.
    :param anam: the target, instead of LiveKit.
    :param rotated: setting it has the files of keys read again; they are read again whenever they change, too.
    :raises ConfigurationError: another process uses the data folder, ``MOUTHPIECE_TTS``, ``MOUTHPIECE_LEXICON`` or a
        file of keys cannot be used.
    :raises StoreError: the data folder cannot be written.
    """
    access, callers = _access(settings), Callers(settings.own_api_keys)
    key_files = KeyFiles([*_key_files(settings, access, callers)], rotated or asyncio.Event())
    await key_files.read()
    data = settings.data.expanduser()
    metrics, connections = Metrics(), ConnectionFigures()
    tracing = None if settings.traces is None else await asyncio.to_thread(_tracer, settings.traces)
    watch = SegmentWatch(metrics, logs=settings.log_format is LogFormat.JSON, tracing=tracing)
    async with contextlib.AsyncExitStack() as stack:
        if tracing is not None:
            stack.push_async_callback(tracing.aclose)
        store = await stack.enter_async_context(Store(data / "mouthpiece.db"))
        budget = ByteBudget(IN_FLIGHT, IN_FLIGHT // 2)
        spool = await stack.enter_async_context(
            Spool(data / "sounds", min_free=settings.min_free * MEGABYTE, budget=budget)
        )
        retention = await stack.enter_async_context(Retention(store, spool, settings.limits))
        feed = Feed()
        journal = WatchedJournal(store, feed.wake)
        room_log = await stack.enter_async_context(RoomLog(journal))
        server: LiveKit | None = None
        target: Target
        if anam is not None:
            target = await stack.enter_async_context(anam)
        else:
            instance = settings.instance
            if instance is None:
                instance = await asyncio.to_thread(stored_instance, data)
            server = LiveKit(access, await stack.enter_async_context(livekit(access)))
            open_streams = OpenStreams(data / "open-streams")
            await open_streams.read()
            target = LiveKitTarget(
                access,
                server.api,
                instance=instance,
                identity=settings.identity,
                name=settings.name,
                avatar_timeout=settings.avatar_timeout,
                warm=settings.warm,
                listens=settings.listen,
                note=room_log.note,
                joins=Joins(figures=connections),
                open_streams=open_streams,
                data_limit=1000.0 * settings.data_limit,
            )
        decoders = await stack.enter_async_context(Decoders(max_duration=settings.max_seconds))
        voices = await stack.enter_async_context(
            Voices(default_tts(settings), lexicon=await asyncio.to_thread(lexicon_of, settings.lexicon))
        )
        voices.warm()
        gateway = await stack.enter_async_context(
            Gateway(target, journal, quotas=settings.quotas, loudness=loudness_of(settings.loudness))
        )
        metrics.watch(gateway, connections)
        sounds = StoredSounds(spool, decoders, voices)
        client = guarded_client(settings.url_hosts, timeout=httpx.Timeout(URL_TIMEOUT))
        media = Media(
            spool,
            decoders,
            voices,
            store,
            sounds,
            await stack.enter_async_context(client),
            max_bytes=settings.max_upload * MEGABYTE,
            max_seconds=settings.max_seconds,
        )
        bodies = BodyReader(media, max_bytes=media.max_bytes, budget=budget)
        journal.watch(watch.stored)
        journal.watch(retention.forget_ended)
        webhook_sender = await stack.enter_async_context(
            WebhookSender(settings.webhook_list, settings.url_hosts, settings.signing_secret, settings.webhook_timeout)
        )
        dispatch = await stack.enter_async_context(
            Dispatch(
                store.deliveries,
                feed,
                settings.webhook_list,
                webhook_sender.send,
                scale=settings.webhook_backoff,
                speech_begins=lambda: gateway.speech_begins,
            )
        )
        if unfinished := await gateway.take_over(sounds.sound):
            logger.info("going on with %d segments that an earlier process left", unfinished)
        stack.push_async_callback(_cancelled, asyncio.create_task(key_files.run(), name="key-files"))
        yield Dependencies(
            settings,
            server,
            gateway,
            store,
            bodies,
            voices,
            metrics,
            watch,
            callers,
            feed,
            store.deliveries,
            dispatch,
            stopping=stopping,
        )


def _tracer(url: str) -> SegmentTracer:
    """:raises ConfigurationError: the extra ``traces`` is not installed."""
    from mouthpiece_sender.tracing import SegmentTracer  # loads OpenTelemetry, and nobody who is not traced has it

    return SegmentTracer.to(url)


def default_tts(settings: Settings) -> str:
    """Return the name of the provider for texts that name none.

    :raises ConfigurationError: the provider of ``MOUTHPIECE_TTS`` does not exist, or lacks a package or a key.
    """
    if not settings.tts:
        return default_tts_for_anam(os.environ) if settings.target is Via.ANAM else OFFLINE
    create(settings.tts)  # fails at start, not with the first text
    return settings.tts


def _key_files(settings: Settings, access: LiveKitAccess, callers: Callers) -> Iterator[KeyFile]:
    def take_api_keys(text: str) -> str:
        entries = api_keys_in(text, 1 if is_loopback(settings.host) else SHORTEST_KEY)
        callers.replace([*settings.own_api_keys, *entries])
        return f"{len(entries)} API keys"

    def take_livekit_key(text: str) -> str:
        key, secret = livekit_key_in(text)
        if not is_loopback(settings.host) and len(secret) < SHORTEST_SECRET:
            raise ValueError(f"the secret has fewer than {SHORTEST_SECRET} characters: too short to be published")
        access.api_key, access.api_secret = key, secret
        return "LiveKit's key"

    if settings.api_keys_file is not None:
        yield KeyFile("MOUTHPIECE_API_KEYS_FILE", settings.api_keys_file.expanduser(), take_api_keys)
    if settings.livekit_key_file is not None and settings.target is Via.LIVEKIT:
        yield KeyFile("LIVEKIT_KEY_FILE", settings.livekit_key_file.expanduser(), take_livekit_key)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _access(settings: Settings) -> LiveKitAccess:
    return LiveKitAccess(
        settings.livekit_url,
        settings.livekit_api_key,
        settings.livekit_api_secret.get_secret_value(),
        settings.public_url,
    )


def stored_instance(data: Path) -> str:
    """Return the instance name in the folder ``data``; a random one is stored there first if there is none."""
    file = data / "instance"
    with contextlib.suppress(FileNotFoundError):
        if name := file.read_text().strip():
            return name
    name = secrets.token_hex(4)
    file.write_text(f"{name}\n")
    return name


def key_link(keys: Collection[str], host: str, port: int) -> str:
    """Return the page's address with the development key in it, for a first visit; empty if that key is not in use.

    A key of one's own is a secret and goes into no log. The fragment of an address is sent to no server, and the page
    removes it.
    """
    if DEVELOPMENT_API_KEY not in keys:
        return ""
    name = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/#key={DEVELOPMENT_API_KEY}"


async def _stop_when_asked(server: uvicorn.Server, dependencies: Dependencies) -> None:
    """Requests are answered until nothing plays any more: new segments are refused, what plays can be looked at."""
    await dependencies.stopping.wait()
    logger.info(
        "stopping: what plays may end within %g s, what waits is said after the next start", dependencies.settings.drain
    )
    dependencies.bodies.stop()
    await dependencies.gateway.stop(dependencies.settings.drain)
    dependencies.feed.close()  # its readers have seen the last event
    server.should_exit = True


async def _warn_if_livekit_is_away(api: LiveKitApi) -> None:
    try:
        await api.check()
    except MouthpieceError as error:
        logger.warning("%s Until then /readyz says 503.", error)


class _Server(uvicorn.Server):
    """Has none of uvicorn's signal handlers: they raise the signal again before the rooms have been left."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
