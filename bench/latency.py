"""How fast and how true the avatar is at a viewer, beside livekit-agents' stock avatar, in one run.

::

    python bench/latency.py [--seconds 60] [--trials 20] [--json FILE] [--only ours|stock]

Starts a livekit-server and one avatar at a time, each in a process of its own; joins as a sender and as a viewer, and
measures from the byte stream's first write to what reaches the viewer:

- first sound: from opening a stream in a quiet room to the viewer's first loud frame of 10 ms
- silence: from calling ``lk.clear_buffer`` to the viewer's last loud frame
- frames a second, speaking and idle
- sound against picture: first picture that shows speech minus first loud frame; below zero the picture is early
- what the avatar's process takes of a core and of memory
- receipt: the position it reports minus what the viewer heard (interrupted) or what was sent (played to its end)
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
from livekit import rtc

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import services  # noqa: E402
from bench.services import AVATAR, ROOM  # noqa: E402

from mouthpiece import wire  # noqa: E402
from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402
from tests.live.viewer import Plane, Viewer, viewer_token  # noqa: E402

RATE = 16_000
SENDER = "external-audio-sender-bench"
BURST = 0.5
"""Seconds sent at once."""
CHUNK = 0.1
"""Seconds a write."""
AHEAD = 2.0
"""Seconds that a sender is ahead of playback at most."""


Start = Callable[[LiveKit], contextlib.AbstractAsyncContextManager[psutil.Process]]
"""Runs an avatar in ``ROOM``."""


def tone(seconds: float) -> bytes:
    """Loud from the first sample to the last; rich enough to open a mouth wide."""
    t = np.arange(int(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * f * t) / (1 + i) for i, f in enumerate((220, 440, 700, 880, 1_100)))
    samples: npt.NDArray[np.int16] = (wave / np.abs(wave).max() * 16_000).astype("<i2")
    return samples.tobytes()


@dataclass
class Figures:
    """Of one avatar; milliseconds unless said."""

    first_sound: list[float] = field(default_factory=list)
    silence: list[float] = field(default_factory=list)
    picture_after_sound: list[float] = field(default_factory=list)
    position_error_interrupted: list[float] = field(default_factory=list)
    position_error_finished: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    fps_speaking: float = 0.0
    fps_idle: float = 0.0
    cpu_speaking: float = 0.0
    """Percent of a core, of the avatar's process."""
    cpu_idle: float = 0.0
    resident: float = 0.0
    """Megabytes."""


class Sender:
    """Streams as a well-behaved sender does, and keeps the receipts."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self.receipts: asyncio.Queue[wire.PlaybackFinished] = asyncio.Queue()
        me = room.local_participant
        me.register_rpc_method(wire.RPC_PLAYBACK_STARTED, lambda _: "ok")
        me.register_rpc_method(wire.RPC_PLAYBACK_FINISHED, self._finished)

    def _finished(self, call: rtc.RpcInvocationData) -> str:
        self.receipts.put_nowait(wire.PlaybackFinished.loads(call.payload))
        return "ok"

    async def say(self, pcm: bytes) -> None:
        """A burst, then never more than ``AHEAD`` ahead of its playing."""
        writer = await self._room.local_participant.stream_bytes(
            name="AUDIO_bench",
            topic=wire.AUDIO_STREAM_TOPIC,
            destination_identities=[AVATAR],
            attributes=wire.StreamHeader(RATE, 1).attributes(),
        )
        try:
            started = time.monotonic()
            size = int(CHUNK * RATE) * 2
            for index, at in enumerate(range(0, len(pcm), size)):
                ahead = index * CHUNK - (time.monotonic() - started)
                if index * CHUNK >= BURST and ahead > AHEAD:
                    await asyncio.sleep(ahead - AHEAD)
                await writer.write(pcm[at : at + size])
        finally:
            await writer.aclose()

    async def clear(self) -> None:
        await self._room.local_participant.perform_rpc(
            destination_identity=AVATAR, method=wire.RPC_CLEAR_BUFFER, payload=""
        )

    async def receipt(self, timeout: float = 10) -> wire.PlaybackFinished | None:
        try:
            return await asyncio.wait_for(self.receipts.get(), timeout)
        except TimeoutError:
            return None


@contextlib.asynccontextmanager
async def stock(livekit: LiveKit, pictures: str = "flash") -> AsyncIterator[psutil.Process]:
    """:param pictures: see ``bench/avatar_stock.py``."""
    secret = services.token(livekit, AVATAR, **services.BEHALF)
    program = str(ROOT / "bench/avatar_stock.py")
    async with services.process(program, livekit.url, pictures, TOKEN=secret) as running:
        yield psutil.Process(running.pid)


def mouth(luma: Plane) -> float:
    """Dark where an open mouth is, with the teeth left out: the share of dark pixels."""
    return float((luma[300:380, 215:300] < 75).mean())


def flash(luma: Plane) -> float:
    return float(luma[::16, ::16].mean())


async def measure(
    livekit: LiveKit,
    avatar: psutil.Process,
    probe: Callable[[Plane], float],
    seconds: float,
    trials: int,
    say: Callable[[str], None],
) -> Figures:
    figures = Figures()
    room = rtc.Room()
    await room.connect(livekit.url, services.token(livekit, SENDER), rtc.RoomOptions(auto_subscribe=False))
    track = await room.local_participant.publish_data_track(name="presence")  # announces the sender at once
    sender = Sender(room)
    try:
        async with Viewer(livekit.url, viewer_token(livekit, ROOM), identity=AVATAR, probe=probe) as viewer:
            await awake(sender, viewer)
            await _trials(sender, viewer, figures, trials, say)
            say(f"frames a second, idle, {seconds:g} s")
            start, used = time.monotonic(), busy(avatar)
            await asyncio.sleep(seconds)
            figures.fps_idle = viewer.fps(start, time.monotonic())
            figures.cpu_idle = 100 * (busy(avatar) - used) / (time.monotonic() - start)
            say(f"frames a second, speaking, {seconds:g} s")
            start, used = time.monotonic(), busy(avatar)
            await sender.say(tone(seconds + 2.5))
            figures.cpu_speaking = 100 * (busy(avatar) - used) / (time.monotonic() - start)
            figures.resident = avatar.memory_info().rss / 1e6
            end = await viewer.offset(time.monotonic(), quiet=0.3, timeout=60)
            figures.fps_speaking = viewer.fps(end - seconds, end)
            figures.gaps = [1000 * gap for gap in viewer.gaps(end - seconds)]
            await sender.receipt()
    finally:
        del track
        await room.disconnect()
    return figures


def busy(process: psutil.Process) -> float:
    """Seconds of a core that it has used."""
    times = process.cpu_times()
    return times.user + times.system


async def awake(sender: Sender, viewer: Viewer) -> None:
    """Until a segment is heard: the stock runner publishes with its first sound, and a first segment may be lost."""
    for _ in range(20):
        before = time.monotonic()
        await sender.say(tone(0.3))
        with contextlib.suppress(TimeoutError):
            await viewer.onset(before, timeout=3)
            break
    await viewer.ready()
    await asyncio.sleep(2)
    while not sender.receipts.empty():
        sender.receipts.get_nowait()


async def _trials(sender: Sender, viewer: Viewer, figures: Figures, trials: int, say: Callable[[str], None]) -> None:
    for trial in range(trials):
        say(f"trial {trial + 1} of {trials}")
        await asyncio.sleep(0.6 + random.random() * 0.4)
        interrupted = trial % 2 == 0
        length = 30.0 if interrupted else 1.5
        quiet = resting(viewer)
        before = time.monotonic()
        saying = asyncio.create_task(sender.say(tone(length)))
        onset = await viewer.onset(before)
        figures.first_sound.append(1000 * (onset - before))
        shown = await first_shown(viewer, before, quiet)
        if shown is not None:
            figures.picture_after_sound.append(1000 * (shown - onset))
        if interrupted:
            await asyncio.sleep(0.5 + random.random())
            cleared = time.monotonic()
            clearing = asyncio.create_task(sender.clear())
            saying.cancel()
            await asyncio.gather(saying, clearing, return_exceptions=True)
            offset = await viewer.offset(cleared)
            figures.silence.append(1000 * (offset - cleared))
        else:
            await saying
            offset = await viewer.offset(onset)
        receipt = await sender.receipt()
        if receipt is None:
            continue
        if interrupted:
            heard = offset + 0.01 - onset
            figures.position_error_interrupted.append(1000 * (receipt.playback_position - heard))
        else:
            figures.position_error_finished.append(1000 * (receipt.playback_position - length))


def resting(viewer: Viewer) -> float:
    return statistics.median(picture.probed or 0.0 for picture in viewer.pictures[-10:])


async def first_shown(viewer: Viewer, after: float, quiet: float) -> float | None:
    """When the first picture came that differs from the quiet ones by half of what speech makes."""
    await asyncio.sleep(0.35)
    late = [picture for picture in viewer.pictures if picture.at > after]
    peak = max((picture.probed or 0.0 for picture in late), default=quiet)
    if peak <= quiet:
        return None
    half = quiet + (peak - quiet) * 0.3
    return next((picture.at for picture in late if (picture.probed or 0.0) > half), None)


def median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


def spread(values: list[float]) -> str:
    return f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})" if values else "none"


def table(results: dict[str, Figures]) -> str:
    rows: list[tuple[str, Callable[[Figures], str], Callable[[Figures], float] | None]] = [
        ("first sound after a write, ms", lambda f: spread(f.first_sound), lambda f: median(f.first_sound)),
        ("silence after clear, ms", lambda f: spread(f.silence), lambda f: median(f.silence)),
        ("picture after sound, ms", lambda f: spread(f.picture_after_sound), None),
        ("frames a second, speaking", lambda f: f"{f.fps_speaking:.2f}", None),
        ("frames a second, idle", lambda f: f"{f.fps_idle:.2f}", None),
        ("position error, interrupted, ms", lambda f: spread(f.position_error_interrupted), None),
        ("position error, to the end, ms", lambda f: spread(f.position_error_finished), None),
        ("gaps while speaking", lambda f: f"{len(f.gaps)}", None),
        ("processor, speaking, % of a core", lambda f: f"{f.cpu_speaking:.0f}", None),
        ("processor, idle, % of a core", lambda f: f"{f.cpu_idle:.0f}", None),
        ("resident, MB", lambda f: f"{f.resident:.0f}", None),
    ]
    lines = [f"{'':34}" + "".join(f"{name:>24}" for name in results) + (f"{'ratio':>8}" if len(results) == 2 else "")]
    for title, shown, figure in rows:
        line = f"{title:34}" + "".join(f"{shown(figures):>24}" for figures in results.values())
        if figure is not None and len(results) == 2:
            one, other = (figure(figures) for figures in results.values())
            line += f"{one / other:>8.2f}"
        lines.append(line)
    return "\n".join(lines)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="of each frame count (60)")
    parser.add_argument("--trials", type=int, default=20, help="segments an avatar (20)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--only", choices=("ours", "stock"), help="measure one of them")
    options = parser.parse_args()
    results: dict[str, Figures] = {}
    kinds: dict[str, tuple[Start, Callable[[Plane], float]]] = {
        "ours": (services.avatar, mouth),
        "stock": (stock, flash),
    }
    for name, (start, probe) in kinds.items():
        if options.only in (None, name):
            async with services.server() as livekit, start(livekit) as running:

                def say(text: str, name: str = name) -> None:
                    print(f"\r{name}: {text:50}", end="", file=sys.stderr, flush=True)

                results[name] = await measure(livekit, running, probe, options.seconds, options.trials, say)
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps({name: vars(figures) for name, figures in results.items()}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
