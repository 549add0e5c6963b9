"""Writes the streams of one session after another to one MP4 (H.264, AAC), with picture and sound in sync."""

from __future__ import annotations

import logging
from collections import deque
from fractions import Fraction
from typing import Any, BinaryIO, Final, Literal, NamedTuple

import av
import numpy as np
import numpy.typing as npt

logger = logging.getLogger(__name__)

HOLD: Final = 0.5
"""Seconds of frames that are collected before the streams are aligned."""
MAX_HOLD: Final = 5.0
"""Seconds of sound that wait for a first picture; before the file's first picture, older sound is dropped."""
AUDIO_DELAY: Final = 0.04
"""Seconds by which aiortc 1.16 delays sound more than picture: four blocks of 20 ms against one picture."""
SAMPLE_RATE: Final = 48_000
FRAME_RATE: Final = 25
TIME_BASE: Final = Fraction(1, 90_000)
MAX_PAUSE: Final = 30.0
"""Seconds; a longer pause between two sessions is cut to this length."""
MAX_JUMP: Final = 5.0
"""Seconds by which a stream's clock may drift from ours; beyond, it has jumped, and the stream is aligned again."""

Kind = Literal["video", "audio"]


class Item(NamedTuple):
    """A frame with its origin."""

    session: int
    kind: Kind
    frame: Any
    arrived: float

    @property
    def seconds(self) -> float:
        """The frame's time on its stream's clock."""
        return float(self.frame.pts * self.frame.time_base)

    @property
    def offset(self) -> float:
        """Seconds from the stream's clock to ours, estimated from this frame alone."""
        return self.arrived - self.seconds - (AUDIO_DELAY if self.kind == "audio" else 0.0)


class Writer:
    """Collects the first frames of a session, aligns its streams, then encodes every frame.

    The clock of a stream starts at any value. A frame cannot arrive before it was sent, so the least delayed of the
    first frames gives the offset between a stream's clock and ours.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._session = 0
        self._held: deque[Item] = deque()
        self._offsets: dict[Kind, float] | None = None
        self._container: Any = None
        self._origin = 0.0
        self._pts = -1
        self._samples = 0

    def take(self, item: Item) -> None:
        """Write a frame, or hold it until the streams are aligned."""
        if item.session != self._session:
            if self._container is not None or self._pictured():
                self._settle()
            self._session, self._offsets = item.session, None
            self._held.clear()
        if self._offsets is None:
            self._hold(item)
        else:
            self._write(item)

    def close(self) -> bool:
        """Finish the file; return False if it has neither picture nor sound."""
        if self._held and self._container is None and not self._pictured():
            logger.warning("no picture arrived: the recording has at most the last %g s of the sound", MAX_HOLD)
        self._settle()
        if self._pts < 0 and not self._samples:
            return False
        for stream in self._container.streams:
            for packet in stream.encode(None):
                self._container.mux(packet)
        self._container.close()
        return True

    def _hold(self, item: Item) -> None:
        self._held.append(item)
        if item.arrived - self._held[0].arrived >= HOLD and self._pictured():
            self._settle()
        while self._held and item.arrived - self._held[0].arrived > MAX_HOLD:
            if self._container is not None:
                self._settle()
            else:
                self._held.popleft()

    def _pictured(self) -> bool:
        return any(item.kind == "video" for item in self._held)

    def _settle(self) -> None:
        if not self._held:
            return
        held, self._held = self._held, deque()
        self._offsets = {}
        for item in held:
            self._offsets[item.kind] = min(item.offset, self._offsets.get(item.kind, item.offset))
        begins = min(self._time(item) for item in held)
        if self._container is None:
            self._origin = begins
            self._open(next((item.frame for item in held if item.kind == "video"), None))
        else:
            ended = max(float(self._pts * TIME_BASE), self._samples / SAMPLE_RATE)
            self._origin += max(0.0, begins - self._origin - ended - MAX_PAUSE)
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

    def _time(self, item: Item) -> float:
        """Return the time at which the frame was sent, on our clock."""
        assert self._offsets is not None
        offset = self._offsets.setdefault(item.kind, item.offset)
        if abs(offset - item.offset) > MAX_JUMP:
            offset = self._offsets[item.kind] = item.offset
        return offset + item.seconds

    def _write(self, item: Item) -> None:
        at = self._time(item) - self._origin
        if item.kind == "audio":
            self._write_audio(item.frame, at)
        elif self._video is not None:  # None if the file was opened without a picture
            self._write_video(item.frame, at)

    def _write_video(self, frame: Any, at: float) -> None:
        pts = max(self._pts + 1, round(at / TIME_BASE))
        picture = frame.reformat(width=self._video.width, height=self._video.height, format="yuv420p")
        picture.pts, picture.time_base = pts, TIME_BASE
        picture.pict_type = 0
        for packet in self._video.encode(picture):
            self._container.mux(packet)
        self._pts = pts

    def _write_audio(self, frame: Any, at: float) -> None:
        samples = _stereo(frame)
        gap = round(at * SAMPLE_RATE) - self._samples
        if gap > (SAMPLE_RATE // 50 if self._samples else 0):  # the first block is placed exactly at its time
            for begin in range(0, gap, SAMPLE_RATE):
                self._encode(np.zeros((min(SAMPLE_RATE, gap - begin), 2), np.int16))
        elif gap < -SAMPLE_RATE // 50:
            samples = samples[-gap:]
        if len(samples):
            self._encode(samples)

    def _encode(self, samples: npt.NDArray[np.int16]) -> None:
        block = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="stereo")
        block.sample_rate = SAMPLE_RATE
        block.pts, block.time_base = self._samples, Fraction(1, SAMPLE_RATE)
        for packet in self._audio.encode(block):
            self._container.mux(packet)
        self._samples += len(samples)


def _stereo(frame: Any) -> npt.NDArray[np.int16]:
    """Return the samples of a packed s16 frame with one or two channels, shape ``(n, 2)``."""
    samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    stereo: npt.NDArray[np.int16] = samples if samples.shape[1] == 2 else np.repeat(samples[:, :1], 2, axis=1)
    return stereo
