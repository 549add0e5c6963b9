"""Records the avatar's picture and sound to a file, in a thread that drives the ``recording``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import shutil
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from mouthpiece.errors import ConfigurationError
from mouthpiece_sender.anam.errors import RecordingFailed
from mouthpiece_sender.anam.recording import SAMPLE_RATE, Item, Writer

logger = logging.getLogger(__name__)

QUEUE: Final = 1000
"""Frames, about 13 s. If the disk or the encoder is slow, pictures are dropped once half of it is full, then sound."""


class Recorder:
    """A ``FrameSink`` that encodes in a thread. Leaving it at any moment writes the remaining frames and the index.

    The recording grows in ``<path>.part``, which replaces ``path`` on leaving. If no frame arrived that can be played,
    ``path`` stays as it was.

    :raises ConfigurationError: on entering: the file cannot be written.
    :raises RecordingFailed: on leaving: the recording ended early or could not be written. Only logged if the block
        raises another error.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.Queue[Item | None] = queue.Queue(QUEUE)
        self._session = 0
        self._lost_pictures = 0
        self._lost_sound = 0.0
        self._failure: str | None = None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._create)
        self._thread = threading.Thread(target=self._run, name="anam-recorder", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        finishing = asyncio.ensure_future(asyncio.to_thread(self._finish))
        try:
            await asyncio.shield(finishing)
        except asyncio.CancelledError:
            await finishing
            raise
        if not self._failure:
            return
        if error is None and sys.exception() is None:  # an AsyncExitStack closed in an `except` block passes no error
            raise RecordingFailed(self._failure)
        logger.error("%s", self._failure)

    def begin(self) -> None:
        self._session += 1

    def video(self, frame: Any, arrived: float) -> None:
        if self._queue.qsize() > QUEUE // 2:
            self._lost_pictures += 1
        else:
            self._put(Item(self._session, "video", frame, arrived))

    def audio(self, frame: Any, arrived: float) -> None:
        self._put(Item(self._session, "audio", frame, arrived))

    def _put(self, item: Item) -> None:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self._lost_sound += item.frame.samples / SAMPLE_RATE

    def _create(self) -> None:
        target = self._path.resolve()  # a symbolic link stays one
        if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
            raise ConfigurationError(f"{self._path} is not a file that can be written.")
        self._target, self._part = target, target.with_name(f"{target.name}.part")
        try:
            self._file: BinaryIO = self._part.open("wb")
        except OSError as error:
            raise ConfigurationError(f"{self._path} cannot be written: {error.strerror}.") from None

    def _finish(self) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._lost_pictures or self._lost_sound:
            logger.warning(
                "%d pictures and %.2f s of sound are missing in the recording: this machine is too slow",
                self._lost_pictures,
                self._lost_sound,
            )

    def _run(self) -> None:
        writer, reason = Writer(self._file), ""
        try:
            while (item := self._queue.get()) is not None:
                writer.take(item)
        except Exception as error:
            reason = _reason(error)
            logger.error("the recording broke off (%s)", reason)
            while self._queue.get() is not None:
                pass  # emptied, so that the producers do not find it full
        kept = False
        try:
            kept = self._keep(writer)
        except Exception as error:
            reason = reason or _reason(error)
        with contextlib.suppress(OSError):
            self._file.close()  # after a failure it tries again to flush
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)
        if reason:
            self._failure = f"{self._path} {'ends early' if kept else 'was not written'}: {reason}."

    def _keep(self, writer: Writer) -> bool:
        if not writer.close():
            return False
        self._file.close()
        if self._target.exists():
            shutil.copymode(self._target, self._part)
        self._part.replace(self._target)
        return True


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or f"{type(error).__name__}: {error}"
