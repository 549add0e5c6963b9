"""What a long sound costs the sender, beside the one of Avaluma's document on external audio, in one run: memory and
processor time.

::

    python bench/sender_load.py [--minutes 10] [--seconds 300] [--trials 5] [--json FILE] [--only ours|document]

A 48 kHz stereo WAV of ``--minutes`` is spoken through a ``Speaker`` in a process of its own, at a real livekit-server
and the local avatar, and interrupted after ``--seconds``. Memory and processor time are those of that process against
the same process idle in the room; the decoder that it starts is counted by itself and in the sum. Then short sounds are
interrupted: at a viewer a long one must fall silent as fast. The document's sender gets the same file.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import services  # noqa: E402
from bench.services import AVATAR, ROOM  # noqa: E402

from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402
from tests.live.viewer import Viewer, viewer_token  # noqa: E402

RATE = 48_000
IDLE = 10.0
"""Seconds that idling is measured for."""
LOOK_EVERY = 0.25
"""Seconds between two looks at the memory."""

Say = Callable[[str], None]


@dataclass
class Load:
    """Of one process: what it uses idle, and what more it uses when it speaks."""

    idle_cpu: float = 0.0
    """Share of a core."""
    idle_memory: float = 0.0
    """Megabytes resident."""
    cpu: float = 0.0
    """Share of a core, beyond idling."""
    cpu_seconds: float = 0.0
    """Processor time beyond idling, from the call to the end of the measurement."""
    memory: float = 0.0
    """Megabytes resident at most, beyond idling."""


@dataclass
class Figures:
    sender: Load = field(default_factory=Load)
    decoder: Load = field(default_factory=Load)
    seconds: float = 0.0
    """That speaking was measured for."""
    silence_long: list[float] = field(default_factory=list)
    """Milliseconds from the call to the viewer's last loud frame; the first one in the middle of the long sound."""
    silence_short: list[float] = field(default_factory=list)


class Child:
    """A sender of ``sender_load_child.py``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.sender = psutil.Process(process.pid)

    @property
    def decoders(self) -> list[psutil.Process]:
        return self.sender.children()

    async def tell(self, *words: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(words).encode() + b"\n")
        return await self.heard()

    async def heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the sender has ended")
        facts: dict[str, Any] = json.loads(line)
        return facts


class Meter:
    """Adds up what some processes use while the block runs."""

    def __init__(self, processes: Callable[[], list[psutil.Process]]) -> None:
        self._processes = processes
        self.seconds = self.cpu_seconds = self.memory = 0.0
        """Megabytes at most."""

    async def __aenter__(self) -> Meter:
        self._began, self._cpu = time.monotonic(), self._used()
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        self.seconds, self.cpu_seconds = time.monotonic() - self._began, self._used() - self._cpu

    @property
    def share(self) -> float:
        return self.cpu_seconds / self.seconds

    def _used(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())

    async def _look(self) -> None:
        while True:
            self.memory = max(self.memory, sum(process.memory_info().rss for process in self._processes()) / 1e6)
            await asyncio.sleep(LOOK_EVERY)


@contextlib.asynccontextmanager
async def sender(kind: str, livekit: LiveKit) -> AsyncIterator[Child]:
    environment = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
        "TOKEN": services.token(livekit, "external-audio-sender"),
        "AVATAR": AVATAR,
    }
    child = str(ROOT / "bench/sender_load_child.py")
    async with services.process(child, kind, ROOM, log=None, **environment) as running:
        there = Child(running)
        await there.heard()
        yield there


def write_wav(path: Path, seconds: float) -> Path:
    """48 kHz stereo, loud all the time, no second like the next."""
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        t = np.arange(RATE) / RATE
        for second in range(round(seconds)):
            left = 9_000 * np.sin(2 * np.pi * (200 + second % 50) * t)
            right = 9_000 * np.sin(2 * np.pi * (300 + second % 70) * t)
            file.write(np.stack([left, right], axis=1).astype(np.int16))
    return path


async def interrupt(child: Child, viewer: Viewer) -> float:
    """Milliseconds until the viewer hears nothing."""
    answer = await child.tell("interrupt")
    if answer["state"] != "interrupted":
        raise RuntimeError(f"the segment was {answer['state']}, not interrupted")
    called = float(answer["called"])
    return 1000 * (await viewer.offset(called) - called)


async def measure_ours(livekit: LiveKit, long: Path, short: Path, seconds: float, trials: int, say: Say) -> Figures:
    figures = Figures()
    async with sender("ours", livekit) as child, Viewer(livekit.url, viewer_token(livekit, ROOM), AVATAR) as viewer:
        await viewer.ready()
        await viewer.until(lambda: len(viewer.room.remote_participants) >= 2)
        await asyncio.sleep(3)
        say(f"idle in the room, {IDLE:g} s")
        meters = [Meter(lambda: [child.sender]), Meter(lambda: child.decoders)]
        async with meters[0], meters[1]:
            await asyncio.sleep(IDLE)
        for load, idle in zip((figures.sender, figures.decoder), meters, strict=True):
            load.idle_cpu, load.idle_memory = idle.share, idle.memory
        meters = [Meter(lambda: [child.sender]), Meter(lambda: child.decoders)]
        say(f"speaking, {seconds:g} s")
        async with meters[0], meters[1]:
            began = (await child.tell("play", str(long)))["at"]
            await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        for load, busy in zip((figures.sender, figures.decoder), meters, strict=True):
            load.cpu = busy.share - load.idle_cpu
            load.cpu_seconds = busy.cpu_seconds - load.idle_cpu * busy.seconds
            load.memory = busy.memory - load.idle_memory
        figures.seconds = meters[0].seconds
        figures.silence_long.append(await interrupt(child, viewer))
        for trial in range(trials):
            say(f"interrupts, {trial + 1} of {trials}")
            for path, silences in ((short, figures.silence_short), (long, figures.silence_long)):
                await child.tell("play", str(path))
                await asyncio.sleep(1.5)
                silences.append(await interrupt(child, viewer))
    return figures


async def measure_document(livekit: LiveKit, long: Path, say: Say) -> Figures:
    figures = Figures()
    async with sender("document", livekit) as child:
        await asyncio.sleep(3)
        say(f"idle in the room, {IDLE:g} s")
        meter = Meter(lambda: [child.sender])
        async with meter:
            await asyncio.sleep(IDLE)
        load = figures.sender
        load.idle_cpu, load.idle_memory = meter.share, meter.memory
        say("writing all of it")
        meter = Meter(lambda: [child.sender])
        async with meter:
            await child.tell("play", str(long))
            await asyncio.sleep(2)  # what is queued below Python
        load.cpu, load.memory = meter.share - load.idle_cpu, meter.memory - load.idle_memory
        load.cpu_seconds = meter.cpu_seconds - load.idle_cpu * meter.seconds
        figures.seconds = meter.seconds
    return figures


def table(results: dict[str, Figures]) -> str:
    rows: list[tuple[str, Callable[[Figures], str]]] = [
        ("idle: resident, MB", lambda f: f"{f.sender.idle_memory:.1f}"),
        ("idle: share of a core, %", lambda f: f"{100 * f.sender.idle_cpu:.2f}"),
        ("speaking: resident, MB more", lambda f: f"{f.sender.memory:+.1f}"),
        ("  its decoder, MB (more)", lambda f: f"{f.decoder.idle_memory:.1f} ({f.decoder.memory:+.1f})"),
        ("speaking: share of a core, % more", lambda f: f"{100 * f.sender.cpu:+.2f}"),
        ("  its decoder, % more", lambda f: f"{100 * f.decoder.cpu:+.2f}"),
        ("  both, % more", lambda f: f"{100 * (f.sender.cpu + f.decoder.cpu):+.2f}"),
        ("processor time, s, both", lambda f: f"{f.sender.cpu_seconds + f.decoder.cpu_seconds:.1f}"),
        ("measured for, s", lambda f: f"{f.seconds:.1f}"),
        ("silence after an interrupt, long, ms", lambda f: spread(f.silence_long)),
        ("silence after an interrupt, short, ms", lambda f: spread(f.silence_short)),
    ]
    lines = [f"{'':40}" + "".join(f"{name:>24}" for name in results)]
    lines += [f"{title:40}" + "".join(f"{shown(figures):>24}" for figures in results.values()) for title, shown in rows]
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})" if values else "-"


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="that the file lasts (10)")
    parser.add_argument("--seconds", type=float, default=300, help="that it is spoken for, then interrupted (300)")
    parser.add_argument("--trials", type=int, default=5, help="further interrupts, of long and short sounds (5)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--only", choices=("ours", "document"), help="measure one of them")
    options = parser.parse_args()
    if not 5 <= options.seconds <= options.minutes * 60 - 5:
        parser.error("--seconds must lie within the file, 5 s from either end")
    results: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory() as folder:
        long = await asyncio.to_thread(write_wav, Path(folder) / "long.wav", options.minutes * 60)
        short = await asyncio.to_thread(write_wav, Path(folder) / "short.wav", 8)
        for name in ("ours", "document"):
            if options.only not in (None, name):
                continue

            def say(text: str, name: str = name) -> None:
                print(f"\r{name}: {text:50}", end="", file=sys.stderr, flush=True)

            say("starting")
            async with services.server() as livekit, services.avatar(livekit):
                if name == "ours":
                    results[name] = await measure_ours(livekit, long, short, options.seconds, options.trials, say)
                else:
                    results[name] = await measure_document(livekit, long, say)
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps({name: asdict(figures) for name, figures in results.items()}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
