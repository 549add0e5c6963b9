"""Writes pictures and sound into a film file, with PyAV."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from mouthpiece.audio.pcm import Samples
from mouthpiece_avatar.face.animator import FPS
from mouthpiece_avatar.face.i420 import Bytes
from mouthpiece_avatar.film.errors import FilmError
from mouthpiece_avatar.film.sound import RATE

_H264: Final = ("libx264", "aac", {"crf": "19", "preset": "veryfast"})
_VP9: Final = ("libvpx-vp9", "libopus", {"crf": "28", "b": "0", "deadline": "realtime", "cpu-used": "7", "row-mt": "1"})
KINDS: Final = {".mp4": _H264, ".m4v": _H264, ".mov": _H264, ".mkv": _H264, ".webm": _VP9}
"""Codecs by the name's end."""
_BT601: Final = 6
"""SMPTE 170M, of colour space, primaries and transfer, as ``i420`` makes it."""
_LIMITED: Final = 1


def check_name(path: Path) -> None:
    """:raises FilmError: no film can be written there."""
    if path.suffix.lower() not in KINDS:
        raise FilmError(f"{path.name} is no name of a film: end it with one of {', '.join(KINDS)}")
    if not path.parent.is_dir():
        raise FilmError(f"there is no folder {path.parent}: make it first, or name another one")


class FilmWriter:
    """``with``; a film that breaks off leaves no file."""

    def __init__(self, path: Path, *, width: int, height: int) -> None:
        self._path, self._width, self._height = path, width, height
        self._unfinished = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
        self._container: OutputContainer | None = None
        self._pictures = self._samples = 0

    def __enter__(self) -> Self:
        video, audio, options = KINDS[self._path.suffix.lower()]
        with self._errors():
            self._container = av.open(str(self._unfinished), "w")
            self._video = cast(VideoStream, self._container.add_stream(video, rate=FPS, options=dict(options)))
            self._video.width, self._video.height, self._video.pix_fmt = self._width, self._height, "yuv420p"
            context = self._video.codec_context
            context.colorspace = context.color_primaries = context.color_trc = _BT601
            context.color_range = _LIMITED
            self._audio = cast(AudioStream, self._container.add_stream(audio, rate=RATE, layout="mono"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._container is not None:
                with self._errors():
                    if kind is None:
                        self._container.mux(self._video.encode(None))
                        self._container.mux(self._audio.encode(None))
                    self._container.close()
                    if kind is None:
                        self._unfinished.replace(self._path)
        finally:
            self._unfinished.unlink(missing_ok=True)

    def picture(self, i420: Bytes) -> None:
        """Write the next picture.

        :raises FilmError: it cannot be written.
        """
        frame = av.VideoFrame.from_ndarray(i420.reshape(self._height * 3 // 2, self._width), format="yuv420p")
        frame.pts, frame.time_base = self._pictures, Fraction(1, FPS)
        frame.colorspace, frame.color_range = _BT601, _LIMITED
        self._pictures += 1
        self._write(self._video, frame)

    def sound(self, samples: Samples) -> None:
        """Write the next samples, mono at ``RATE``.

        :raises FilmError: they cannot be written.
        """
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._samples, Fraction(1, RATE)
        self._samples += len(samples)
        self._write(self._audio, frame)

    def _write(self, stream: VideoStream | AudioStream, frame: av.VideoFrame | av.AudioFrame) -> None:
        if self._container is None:
            raise RuntimeError("use it in a with block")
        with self._errors():
            self._container.mux(stream.encode(frame))  # type: ignore[arg-type]

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, av.FFmpegError) as error:
            reason = getattr(error, "strerror", None) or error
            raise FilmError(f"{self._path} cannot be written: {reason}") from None
