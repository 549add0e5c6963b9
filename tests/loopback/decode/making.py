"""Sounds of every format, made here."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import psutil

Samples = npt.NDArray[np.int16]


def chirp(seconds: float, rate: int, channels: int = 1) -> Samples:
    """Rises from 200 Hz by 300 Hz a second, so every moment of it is like no other; ``(n,)`` or ``(n, channels)``."""
    time = np.arange(round(seconds * rate)) / rate
    wave = np.rint(10_000 * np.sin(2 * np.pi * (200 + 150 * time) * time)).astype(np.int16)
    return wave if channels == 1 else np.stack([wave // (number + 1) for number in range(channels)], axis=1)


class Pipe:
    """A file that is written from its start to its end: nobody can go back to put a length into its header."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, data: bytes) -> int:
        self.content += bytes(data)
        return len(data)


def write_with_av(to: Path | Pipe, container: str, codec: str, samples: Samples, rate: int) -> None:
    """What libsndfile does not write."""
    in_parts = {"movflags": "frag_keyframe+empty_moov"} if isinstance(to, Pipe) and container in _MOV else {}
    with av.open(to if isinstance(to, Pipe) else str(to), "w", format=container, options=in_parts) as output:
        stream = output.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(format=stream.codec_context.format, rate=rate)
        fifo = av.AudioFifo()
        for block in resampler.resample(frame):
            block.pts = None
            fifo.write(block)
        size = stream.codec_context.frame_size or 1024
        while part := fifo.read(size, partial=True):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))


_MOV = ("ipod", "mp4")
"""Its index is at its end, unless it is written in parts."""


def decoder_processes(role: str = "") -> list[psutil.Process]:
    """Those that this process has started, anew, and that run; with ``role``, of that one."""
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE
        and (line := child.cmdline())[1:4] == ["-P", "-m", "mouthpiece.audio.decoder"]
        and role in ("", line[-1])
    ]
