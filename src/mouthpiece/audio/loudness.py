"""Sound of any loudness to one loudness, while it is read: FFmpeg's ``loudnorm``, through PyAV.

Loudness is that of ITU-R BS.1770-4 (gated, K-weighted), in LUFS; the peaks that are limited are its true peaks.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any, Final

import numpy as np

from mouthpiece.audio.pcm import Pcm, Samples
from mouthpiece.errors import ConfigurationError

LOUDEST: Final = -5.0
QUIETEST: Final = -40.0
"""LUFS; targets that can be had."""
TRUE_PEAK: Final = -1.5
"""dBTP; no peak is louder. 0.5 dB below EBU R 128's -1 dBTP, since the sound is coded once more."""
RANGE: Final = 11.0
"""LU; a larger range of loudness is made smaller. Speech has less."""


class Loudness:
    """A transform of mono to ``target`` LUFS. It holds back 3 s, by which it knows how loud the sound is; a sound that
    is shorter is judged as a whole, and stays quieter where its peaks would rise over ``TRUE_PEAK``. ``flush`` makes it
    as long as it was.

    It costs far more than a resampler (it works at 192 kHz): call it on a thread.

    :param target: LUFS, from ``QUIETEST`` to ``LOUDEST``.
    """

    def __init__(self, target: float) -> None:
        self._target = target
        self._graph: Any = None
        self._rate = 0
        self._taken = self._given = 0
        """Frames."""

    def push(self, pcm: Pcm) -> list[Pcm]:
        if not pcm.frames:
            return []
        import av  # costs 40 ms and 15 MB

        if self._graph is None:
            self._rate = pcm.sample_rate
            self._graph = _graph(av, pcm.sample_rate, self._target)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm.samples.reshape(1, -1)), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._taken, Fraction(1, self._rate)
        self._taken += pcm.frames
        self._graph.push(frame)
        return self._pulled()

    def flush(self) -> list[Pcm]:
        if self._graph is None:
            return []
        self._graph.push(None)
        out = self._pulled()
        if (missing := self._taken - self._given) > 0:
            out.append(Pcm(np.zeros(missing, dtype=np.int16), self._rate))
        self.clear()
        return out

    def clear(self) -> None:
        self._graph = None
        self._taken = self._given = 0

    def _pulled(self) -> list[Pcm]:
        import av

        out: list[Pcm] = []
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return out
            samples: Samples = frame.to_ndarray().reshape(-1)[: self._taken - self._given]
            if len(samples):
                self._given += len(samples)
                out.append(Pcm(samples, self._rate))


def loudness_of(text: str | None) -> float | None:
    """The target in LUFS that ``MOUTHPIECE_LOUDNESS`` names; None: it is off.

    :raises ConfigurationError: it is neither ``off`` nor a number from ``QUIETEST`` to ``LOUDEST``.
    """
    if not text or text.strip().lower() == "off":
        return None
    try:
        target = float(text)
    except ValueError:
        target = 0.0
    if not QUIETEST <= target <= LOUDEST:
        raise ConfigurationError(
            f"MOUTHPIECE_LOUDNESS must be “off” or a loudness in LUFS from {QUIETEST:g} to {LOUDEST:g}, such as -16"
        )
    return target


def _graph(av: Any, rate: int, target: float) -> Any:
    graph = av.filter.Graph()
    steps = [
        graph.add("abuffer", f"sample_rate={rate}:sample_fmt=s16:channel_layout=mono:time_base=1/{rate}"),
        graph.add("loudnorm", f"I={target}:TP={TRUE_PEAK}:LRA={RANGE}"),
        graph.add("aresample", str(rate)),
        graph.add("aformat", "sample_fmts=s16:channel_layouts=mono"),
        graph.add("abuffersink"),
    ]
    for one, following in itertools.pairwise(steps):
        one.link_to(following)
    graph.configure()
    return graph
