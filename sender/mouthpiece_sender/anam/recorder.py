"""The avatar's picture and sound, kept as an MP4 (H.264, AAC) that plays in step."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import av
import numpy as np
import numpy.typing as npt

from mouthpiece.errors import ConfigurationError

logger = logging.getLogger(__name__)

HOLD: Final = 0.5
"""Seconds of frames that are looked at before the streams are laid side by side."""
AUDIO_DELAY: Final = 0.04
"""Seconds that aiortc 1.16 keeps sound longer than picture: four blocks of 20 ms against one picture."""
QUEUE: Final = 1000
"""Frames, about 13 s; when the disk or the encoder is that far behind, pictures are left out."""
SAMPLE_RATE: Final = 48_000
FRAME_RATE: Final = 25
TIME_BASE: Final = Fraction(1, 90_000)
MAX_GAP: Final = 30.0
"""Seconds of silence that are written for sound that did not come; more is a broken clock."""

Kind = str
_Item = tuple[Kind, Any, float]


class Recorder:
    """A ``FrameSink``. Encodes in a thread of its own; leaving writes the rest and the index, at any moment.

    Each stream's clock begins anywhere; a frame cannot arrive before it was sent, so the least delayed of the first
    frames says where a stream lies on ours.

    :raises ConfigurationError: on entering: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.Queue[_Item | None] = queue.Queue(QUEUE)
        self._left_out = 0

    async def __aenter__(self) -> Self:
        try:
            self._file = await asyncio.to_thread(self._path.open, "wb")
        except OSError as error:
            raise ConfigurationError(f"{self._path} cannot be written: {error.strerror}.") from None
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
        if self._left_out:
            logger.warning("%d pictures were left out of the recording: this machine is too slow", self._left_out)

    def begin(self) -> None:
        self._put("begin", None, 0.0)

    def video(self, frame: Any, arrived: float) -> None:
        self._put("video", frame, arrived)

    def audio(self, frame: Any, arrived: float) -> None:
        self._put("audio", frame, arrived)

    def _put(self, kind: Kind, frame: Any, arrived: float) -> None:
        if kind == "video" and self._queue.qsize() > QUEUE // 2:
            self._left_out += 1
            return
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait((kind, frame, arrived))

    def _finish(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._file.close()

    def _run(self) -> None:
        writer = _Writer(self._file)
        try:
            while (item := self._queue.get()) is not None:
                writer.take(item)
            writer.close()
        except Exception as error:
            logger.error("the recording broke off (%s: %s)", type(error).__name__, error)
            while self._queue.get() is not None:
                pass  # so that nobody waits for room in it


class _Writer:
    """Collects the first frames, lays the streams side by side, then encodes what comes."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._held: list[_Item] = []
        self._offsets: dict[Kind, float] | None = None
        self._container: Any = None
        self._origin = 0.0
        self._pts = -1
        self._samples = 0

    def take(self, item: _Item) -> None:
        kind, _, arrived = item
        if kind == "begin":
            self._settle()
            self._offsets = None
        elif self._offsets is None:
            self._held.append(item)
            if arrived - self._held[0][2] >= HOLD and any(held[0] == "video" for held in self._held):
                self._settle()
        else:
            self._write(item)

    def close(self) -> None:
        self._settle()
        if self._container is None:
            return
        for stream in self._container.streams:
            for packet in stream.encode(None):
                self._container.mux(packet)
        self._container.close()

    def _settle(self) -> None:
        if not self._held:
            return
        held, self._held = self._held, []
        self._offsets = {}
        for kind, frame, arrived in held:
            offset = arrived - _seconds(frame) - (AUDIO_DELAY if kind == "audio" else 0.0)
            self._offsets[kind] = min(offset, self._offsets.get(kind, offset))
        if self._container is None:
            self._origin = min(self._offsets[kind] + _seconds(frame) for kind, frame, _ in held)
            self._open(next((frame for kind, frame, _ in held if kind == "video"), None))
        for item in held:
            self._write(item)

    def _open(self, picture: Any) -> None:
        self._container = av.open(self._file, "w", format="mp4")
        self._video: Any = None
        if picture is not None:
            self._video = self._container.add_stream("libx264", rate=FRAME_RATE, options={"preset": "ultrafast"})
            self._video.width, self._video.height = picture.width // 2 * 2, picture.height // 2 * 2
            self._video.pix_fmt = "yuv420p"
            self._video.codec_context.time_base = TIME_BASE
        self._audio = self._container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")

    def _write(self, item: _Item) -> None:
        kind, frame, arrived = item
        assert self._offsets is not None
        offset = self._offsets.setdefault(kind, arrived - _seconds(frame))
        at = offset + _seconds(frame) - self._origin
        if kind == "video":
            self._write_video(frame, at)
        else:
            self._write_audio(frame, at)

    def _write_video(self, frame: Any, at: float) -> None:
        if self._video is None:
            return  # the file began without one
        pts = max(self._pts + 1, round(at / TIME_BASE))
        picture = frame.reformat(width=self._video.width, height=self._video.height, format="yuv420p")
        picture.pts, picture.time_base = pts, TIME_BASE
        picture.pict_type = 0
        self._pts = pts
        for packet in self._video.encode(picture):
            self._container.mux(packet)

    def _write_audio(self, frame: Any, at: float) -> None:
        samples = _stereo(frame)
        gap = round(at * SAMPLE_RATE) - self._samples
        if abs(gap) > MAX_GAP * SAMPLE_RATE:
            gap = 0
        if gap > (SAMPLE_RATE // 50 if self._samples else 0):  # the first block lies exactly where it was sent
            samples = np.concatenate([np.zeros((gap, 2), np.int16), samples])
        elif gap < -SAMPLE_RATE // 50:
            samples = samples[-gap:]
        if not len(samples):
            return
        block = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="stereo")
        block.sample_rate = SAMPLE_RATE
        block.pts, block.time_base = self._samples, Fraction(1, SAMPLE_RATE)
        self._samples += len(samples)
        for packet in self._audio.encode(block):
            self._container.mux(packet)


def _seconds(frame: Any) -> float:
    """On the stream's own clock."""
    return float(frame.pts * frame.time_base)


def _stereo(frame: Any) -> npt.NDArray[np.int16]:
    """``(n, 2)`` of a packed s16 frame of one or two channels."""
    samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    stereo: npt.NDArray[np.int16] = samples if samples.shape[1] == 2 else np.repeat(samples[:, :1], 2, axis=1)
    return stereo
