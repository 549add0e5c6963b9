"""One session with Anam's engine: it is opened, becomes ready, takes sound, and is always closed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from mouthpiece.errors import AvatarLeft, AvatarTimeout
from mouthpiece_sender.anam import sdk
from mouthpiece_sender.anam.frames import FrameSink
from mouthpiece_sender.anam.settings import AnamSettings

logger = logging.getLogger(__name__)

INTERRUPT_TIMEOUT: Final = 0.4
END_TIMEOUT: Final = 0.5
"""Seconds. With ``attempt_stream.STOP_TIMEOUT`` they are less than the ledger waits for a clear (``CLEAR_GRACE``)."""
SETTLING: Final = 0.1
"""Seconds from an interrupt to the next sound: they travel on two connections, and Anam confirms no interrupt."""
LOOK: Final = 0.5
"""Seconds between two checks of the SDK's connection: the SDK does not report every end of it."""


class AnamSession:
    """``async with AnamSession(…)`` returns a session that is ready for sound, not merely connected.

    Picture and sound are always taken off the SDK's queues, also without a sink: the queues have no bound.

    :raises AvatarTimeout: it did not connect, or did not become ready.
    :raises AnamRefused: the key, the avatar or the plan was not accepted.
    :raises AnamBusy: no session is free.
    :raises AnamUnavailable: Anam cannot be reached.
    :raises AvatarLeft: the engine ended it before it was ready.
    """

    def __init__(
        self, settings: AnamSettings, sinks: Sequence[FrameSink] = (), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._sinks = sinks
        self._clock = clock
        self._ready = asyncio.Event()
        self._lost = asyncio.Event()
        self._pumps: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        anam = await asyncio.to_thread(sdk.load)
        self._anam = anam
        self._client = sdk.client(anam, self._settings)
        self._client.add_listener(anam.AnamEvent.SESSION_READY, self._ready.set)
        self._client.add_listener(anam.AnamEvent.CONNECTION_CLOSED, self._on_closed)
        try:
            await self._connect()
            await self._until_ready()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @property
    def lost(self) -> bool:
        """The engine ended it, or the connection broke."""
        if not sdk.can_send(self._client):
            self._lost.set()
        return self._lost.is_set()

    async def lost_within(self, seconds: float) -> bool:
        """Wait ``seconds``; return True early if the session is lost meanwhile."""
        if self.lost:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        except TimeoutError:
            return self.lost
        return True

    def declare_lost(self) -> None:
        """Note that the session did not take a write."""
        self._lost.set()

    async def until_lost(self) -> None:
        """Wait until the session is lost."""
        while not await self.lost_within(LOOK):
            pass

    def input_stream(self, sample_rate: int) -> Any:
        """The SDK's input stream, for mono s16le at ``sample_rate`` hertz."""
        config = self._anam.AgentAudioInputConfig(encoding="pcm_s16le", sample_rate=sample_rate, channels=1)
        return self._session.create_agent_audio_input_stream(config)

    async def interrupt(self) -> bool:
        """Ask the avatar to drop what it has not said; True if the SDK sent that. Takes at most half a second."""
        try:
            async with asyncio.timeout(INTERRUPT_TIMEOUT):
                await self._session.interrupt()
        except Exception as error:  # the SDK's, or the data channel's beneath it
            logger.warning("Anam did not take the interrupt (%s)", type(error).__name__)
            return False
        await asyncio.sleep(SETTLING)
        return True

    async def _connect(self) -> None:
        limit = asyncio.timeout(self._settings.ready_timeout)
        try:
            async with limit:
                self._session = await self._client.connect_async()
        except Exception as error:
            if limit.expired():
                raise AvatarTimeout(
                    f"Anam's avatar did not connect within {self._settings.ready_timeout:g} s; nothing was sent."
                ) from None
            raise sdk.translate(self._anam, error, self._settings) from error
        for sink in self._sinks:
            sink.begin()
        self._pumps = [
            asyncio.create_task(self._pump(self._session.video_frames(), [s.video for s in self._sinks])),
            asyncio.create_task(self._pump(self._session.audio_frames(), [s.audio for s in self._sinks])),
        ]

    async def _until_ready(self) -> None:
        waiting = [asyncio.ensure_future(wait) for wait in (self._ready.wait(), self.until_lost())]
        try:
            await asyncio.wait(waiting, timeout=self._settings.ready_timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiting:
                waiter.cancel()
        if self.lost:
            raise AvatarLeft("Anam ended the session before its avatar was ready; nothing was sent.")
        if not self._ready.is_set():
            raise AvatarTimeout(
                f"Anam's avatar did not become ready within {self._settings.ready_timeout:g} s; nothing was sent."
            )

    async def _pump(self, frames: AsyncIterator[Any], takers: list[Callable[[Any, float], None]]) -> None:
        try:
            async for frame in frames:
                arrived = self._clock()
                for take in takers:
                    take(frame, arrived)
        except Exception as error:  # the SDK's: the track is missing, or its decoder failed
            logger.warning("Anam's media ended (%s)", type(error).__name__)
        self._lost.set()

    def _on_closed(self, code: str, reason: str | None) -> None:
        logger.info("Anam's session closed (%s)", code)
        self._lost.set()

    async def _close(self) -> None:
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await sdk.close(self._client)


class PassthroughStream:
    """The sound of one attempt, in one turn of the avatar or, where its source pauses, in several.

    Every turn is ended, whatever happens: otherwise the avatar waits for more, and its picture freezes.
    """

    def __init__(self, session: AnamSession, sample_rate: int, listener: Callable[[float], None] | None = None) -> None:
        """:param listener: receives how many seconds have been sent, after each write."""
        self._session = session
        self._sample_rate = sample_rate
        self._listener = listener
        self._frames = 0
        self._turning = False

    async def open(self) -> Self:
        self._stream = self._session.input_stream(self._sample_rate)
        return self

    async def write(self, data: bytes) -> None:
        """:raises ConnectionResetError: the session is lost; whether this was heard is not known."""
        if self._session.lost:
            raise ConnectionResetError("Anam's session ended.")
        self._turning = True
        await self._stream.send_audio_chunk(data)
        self._frames += len(data) // 2
        if self._listener is not None:
            self._listener(self._frames / self._sample_rate)

    async def end_turn(self) -> None:
        """End the avatar's turn, if one has begun."""
        if not self._turning or self._session.lost:
            return
        self._turning = False
        try:
            async with asyncio.timeout(END_TIMEOUT):
                await self._stream.end_sequence()
        except TimeoutError:
            logger.warning("Anam did not take the end of a turn")

    async def aclose(self) -> None:
        await self.end_turn()
