"""Formats, rates, depths and layouts, each as a file, from a pipe, joined and cut; and what FFmpeg makes of a file."""

from __future__ import annotations

import contextlib
import io
import itertools
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile

from tests.loopback.decode.making import Pipe, Samples, chirp, write_with_av

SECONDS = 0.8
WRITTEN = {
    **{
        f"wav-{depth}": ("WAV", depth)
        for depth in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
    },
    **{f"aiff-{depth}": ("AIFF", depth) for depth in ("PCM_16", "PCM_24")},
    **{f"flac-{depth}": ("FLAC", depth) for depth in ("PCM_16", "PCM_24")},
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
THROUGH_AV = {
    "m4a": ("ipod", "aac"),
    "webm": ("webm", "libopus"),
    "aac": ("adts", "aac"),
    "wav-by-ffmpeg": ("wav", "pcm_s16le"),
    "flac-by-ffmpeg": ("flac", "flac"),
    "mp3-by-ffmpeg": ("mp3", "libmp3lame"),
    "opus-by-ffmpeg": ("ogg", "libopus"),
}
RATES = {"opus": (24_000, 48_000), "webm": (24_000, 48_000), "opus-by-ffmpeg": (24_000, 48_000)}
WAYS = ("file", "pipe", "joined", "cut")


def rates(name: str) -> tuple[int, ...]:
    return RATES.get(name, (16_000, 44_100))


FILES = [
    *(
        (name, rate, channels, way)
        for name in WRITTEN
        for rate, channels, way in itertools.product(rates(name), (1, 2), WAYS)
        if way != "pipe" or name.startswith(("wav", "flac"))
    ),
    *((name, rate, 1, way) for name in THROUGH_AV for rate in rates(name) for way in WAYS),
    *(("wav-PCM_16", 16_000, channels, "file") for channels in (3, 4, 5, 6, 8)),
    *(("flac-PCM_16", 48_000, channels, "file") for channels in (3, 6, 8)),
]
"""Name, hertz, channels and the way of being written."""


def written(folder: Path, name: str, rate: int, channels: int, way: str) -> bytes:
    sound = chirp(SECONDS, rate)
    samples = sound if channels == 1 else np.stack([sound] * channels, axis=1)
    if name in THROUGH_AV and way == "pipe":
        pipe = Pipe()
        write_with_av(pipe, *THROUGH_AV[name], samples, rate)
        return pipe.content
    if name in THROUGH_AV:
        write_with_av(folder / "made", *THROUGH_AV[name], samples, rate)
        whole = (folder / "made").read_bytes()
    else:
        format, subtype = WRITTEN[name]
        file = io.BytesIO()
        # libsndfile 1.2.2 writes noise where a stereo MP3 is made of int16
        source = samples / 32_768 if subtype in ("FLOAT", "DOUBLE", "MPEG_LAYER_III") else samples
        soundfile.write(file, source, rate, format=format, subtype=subtype)
        whole = file.getvalue()
    if way == "joined":
        return whole * 2
    if way == "cut":
        return whole[: len(whole) // 2]
    if way == "pipe":
        changed = bytearray(whole)
        if name.startswith("flac"):
            changed[21:26] = bytes([changed[21] & 0xF0, 0, 0, 0, 0])
        else:
            at = whole.index(b"data") + 4
            changed[4:8] = changed[at : at + 4] = b"\xff\xff\xff\xff"
        return bytes(changed)
    return whole


@dataclass(frozen=True, slots=True)
class ByFFmpeg:
    """What FFmpeg makes of a file."""

    seconds: float
    samples: Samples
    """Its own mix to mono, in its own rate."""
    rate: int
    """Hertz."""


def by_ffmpeg(path: Path) -> ByFFmpeg | None:
    """Decode a file with FFmpeg's libraries; None: they find no sound in it."""
    blocks: list[Samples] = []
    seconds, rate, mix = 0.0, 0, None
    with contextlib.suppress(av.FFmpegError, IndexError), av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            rate = rate or frame.sample_rate
            mix = mix or av.AudioResampler(format="s16", layout="mono", rate=rate)
            seconds += frame.samples / frame.sample_rate
            frame.pts = None
            blocks += [block.to_ndarray()[0].astype(np.int16) for block in mix.resample(frame)]
    return ByFFmpeg(seconds, np.concatenate(blocks), rate) if blocks else None
