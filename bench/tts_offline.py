"""How fast the voices are that need no network, and what the TTS base class itself costs.

::

    python bench/tts_offline.py [--trials 50] [--words 2000] [--json FILE]

For each voice: its first text (the model is loaded), then, warm, from ``synthesize`` to the first chunk (p50 and p95
over sentences of 3 to 20 words); from ``stop_audio`` in the middle of a text to the end of ``send``; and a text of
``--words`` words as fast as it goes: real-time factor, CPU, memory, and how long the event loop was kept from its work
meanwhile. The base class's cost is CPU a second of sound, with a provider that only hands out chunks of 100 ms that are
there already.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.words import sentence  # noqa: E402

from mouthpiece.errors import ConfigurationError  # noqa: E402
from mouthpiece.tts import TTS, PcmData, TTSAudioEvent, create  # noqa: E402

TICK = 0.001
"""Seconds between two looks at the loop."""


def sentences(count: int, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    return [sentence(random, int(random.integers(3, 21))) for _ in range(count)]


class Ready(TTS):
    """A provider that costs nothing: the same 100 ms again and again."""

    def __init__(self, seconds: float, sample_rate: int) -> None:
        super().__init__()
        t = np.arange(sample_rate // 10) / sample_rate
        self._chunk = PcmData(np.rint(9_000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16), sample_rate)
        self._count = round(seconds * 10)

    async def stream_audio(self, text: str, *_: Any, **__: Any) -> AsyncIterator[PcmData]:
        for _number in range(self._count):
            yield self._chunk

    async def stop_audio(self) -> None:
        pass


class Lag:
    """How late the loop is, as one of its own tasks sees it."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            self.late.append(time.perf_counter() - before - TICK)


@contextlib.asynccontextmanager
async def watching() -> AsyncIterator[Lag]:
    lag = Lag()
    task = asyncio.create_task(lag.watch())
    try:
        yield lag
    finally:
        task.cancel()


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


async def voice(name: str, trials: int, words: int) -> dict[str, float]:
    process = psutil.Process()
    gc.collect()
    empty = process.memory_info().rss
    async with create(name) as tts:
        tts.set_output_format(tts.native_sample_rate or 16_000)
        began = time.perf_counter()
        await first_chunk(tts, "Hello there.")
        cold = time.perf_counter() - began
        first = []
        for text in sentences(trials):
            began = time.perf_counter()
            await first_chunk(tts, text)
            first.append(time.perf_counter() - began)
            await asyncio.sleep(0.02)
        stopped = [await stop(tts, " ".join(sentences(20, seed=number))) for number in range(trials)]
        loaded = process.memory_info().rss

        text = " ".join(sentences(words // 11, seed=1))
        peak = loaded
        cpu, began, sound = sum(process.cpu_times()[:4]), time.perf_counter(), 0.0
        async with watching() as lag:
            async for chunk in tts.speak(text):
                sound += chunk.data.duration
                peak = max(peak, process.memory_info().rss)
        took, cpu = time.perf_counter() - began, sum(process.cpu_times()[:4]) - cpu
    return {
        "first text, ms": cold * 1000,
        "first sound, warm, p50, ms": percentile(first, 50) * 1000,
        "first sound, warm, p95, ms": percentile(first, 95) * 1000,
        "stop in the middle, p50, ms": percentile(stopped, 50) * 1000,
        "stop in the middle, most, ms": max(stopped) * 1000,
        "sound made, s": sound,
        "real-time factor": took / sound,
        "times real time": sound / took,
        "CPU a second of sound, ms": cpu / sound * 1000,
        "memory when loaded, MB": (loaded - empty) / 1e6,
        "growth over the long text, MB": (peak - loaded) / 1e6,
        "loop late, p99, ms": percentile(lag.late, 99) * 1000,
        "loop late, most, ms": max(lag.late) * 1000,
    }


async def first_chunk(tts: TTS, text: str) -> None:
    async with tts.synthesize(text) as synthesis:
        await anext(synthesis)


async def stop(tts: TTS, text: str) -> float:
    """Seconds from ``stop_audio``, once the text sounds, to the end of ``send``."""
    sounds = asyncio.Event()

    async def on_audio(_: TTSAudioEvent) -> None:
        sounds.set()

    subscription = tts.events.subscribe(on_audio)
    sending = asyncio.create_task(tts.send(text))
    await sounds.wait()
    began = time.perf_counter()
    await tts.stop_audio()
    await sending
    took = time.perf_counter() - began
    tts.events.unsubscribe(subscription)
    return took


async def base_class(seconds: float) -> dict[str, float]:
    """Milliseconds of CPU a second of sound."""
    figures = {}
    ways = {
        "24 kHz, untouched, pulled": (24_000, 1, False),
        "24 kHz, untouched, events": (24_000, 1, True),
        "24 → 16 kHz, events": (16_000, 1, True),
        "24 → 48 kHz stereo, events": (48_000, 2, True),
    }
    for name, (rate, channels, push) in ways.items():
        tts = Ready(seconds, 24_000)
        tts.set_output_format(rate, channels)
        heard = 0

        async def on_audio(event: TTSAudioEvent) -> None:
            nonlocal heard
            heard += event.data.frames

        if push:
            tts.events.subscribe(on_audio)
        cpu = time.process_time()
        if push:
            await tts.send("x")
        else:
            heard = sum([chunk.frames async for chunk in tts.synthesize("x")])
        figures[name] = (time.process_time() - cpu) / seconds * 1000
        assert heard == round(seconds * rate)
    return figures


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=50, help="sentences whose first sound is timed (50)")
    parser.add_argument("--words", type=int, default=2_000, help="of the long text (2000)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    for name in ("offline", "espeak"):
        print(f"{name} …", file=sys.stderr)
        try:
            results[name] = await voice(name, options.trials, options.words)
        except ConfigurationError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    print("the base class …", file=sys.stderr)
    cost = await base_class(600)

    print(f"{'':32}" + "".join(f"{name:>12}" for name in results))
    for figure in next(iter(results.values()), {}):
        print(f"{figure:32}" + "".join(f"{found[figure]:12.3f}" for found in results.values()))
    print("\nThe base class, ms of CPU a second of sound (chunks of 100 ms)")
    for name, milliseconds in cost.items():
        print(f"{name:32}{milliseconds:12.3f}")
    if options.json:
        options.json.write_text(json.dumps({**results, "base class": cost}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
