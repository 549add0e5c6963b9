"""Whether pausing leaves sound out or says some of it twice: a viewer's recording against the original.

::

    python bench/pauses.py [--pauses 20] [--seconds 60] [--avatar ours|stock] [--json FILE]

Starts a livekit-server, an avatar and ``mouthpiece serve``, each in a process of its own; posts a sound of noise, and
pauses and resumes the room at random moments, in one pause with a restart of the service. Both ends of each part that a
viewer recorded are found in the original by correlation, so a seam says what is missing between two parts (above zero)
or was heard twice (below).
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import signal
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.reliability import Scenario, World, say  # noqa: E402

from tests.live.viewer import SAMPLE_RATE, Viewer, viewer_token  # noqa: E402

ROOM = "room-0"
BLOCK = 0.02
"""Seconds: what the avatar plays at a time."""
WINDOW = 0.25
"""Seconds at an end of a part that are looked for in the original, or all of a shorter part."""
SHORTEST = 0.05
"""Seconds of a part that can be found."""
SILENCE = 0.15
"""Seconds that separate two parts."""
LOUD = 0.02
"""Of full scale, root mean square of 5 ms."""

Signal = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """Seconds in the original."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Result:
    state: str
    position: float
    seconds: float
    parts: list[Part]

    @property
    def seams(self) -> list[float]:
        """Seconds missing (above zero) or heard twice (below), at the beginning, between two parts, and at the end."""
        ends = [0.0, *(part.end for part in self.parts)]
        starts = [*(part.start for part in self.parts), self.seconds]
        return [start - end for start, end in zip(starts, ends, strict=True)]


def noise(seconds: float) -> Signal:
    """Noise between 300 and 5,000 Hz, the same each time, of half of full scale at most."""
    size = round(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(size))
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    spectrum[(hertz < 300) | (hertz > 5_000)] = 0
    made = np.fft.irfft(spectrum, size)
    return np.asarray(made * 0.5 / np.abs(made).max())


def find_parts(recording: Signal, original: Signal) -> list[Part]:
    """Return where in ``original`` each part of ``recording`` begins and ends, in the order of ``recording``."""
    size = 1 << (len(original) + round(WINDOW * SAMPLE_RATE)).bit_length()
    transformed = np.fft.rfft(original, size)

    def place(window: Signal) -> float:
        found = np.fft.irfft(transformed * np.conj(np.fft.rfft(window, size)), size)
        # A window may begin in the silence before the sound: places before the original stand at the end.
        early = round(SHORTEST * SAMPLE_RATE)
        return float(np.r_[found[-early:], found[: len(original)]].argmax() - early) / SAMPLE_RATE

    parts = []
    for begin, end in loud_spans(recording):
        length = min(round(WINDOW * SAMPLE_RATE), end - begin)
        if length >= SHORTEST * SAMPLE_RATE:
            last = place(recording[end - length : end])
            parts.append(Part(place(recording[begin : begin + length]), last + length / SAMPLE_RATE))
    return parts


def loud_spans(recording: Signal) -> list[tuple[int, int]]:
    """Return the first sample and the one after the last, of each loud span."""
    hop = SAMPLE_RATE // 200
    frames = recording[: len(recording) - len(recording) % hop].reshape(-1, hop)
    loud = np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) >= LOUD)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > SILENCE * 200)
    starts, ends = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]] + 1
    return [(int(start) * hop, int(end) * hop) for start, end in zip(starts, ends, strict=True)]


async def measure(options: argparse.Namespace) -> Result:
    world = World(Scenario(avatar=options.avatar, seed=options.seed))
    original = noise(options.seconds)
    file = io.BytesIO()
    soundfile.write(file, original, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    moments = sorted(world.random.uniform(0.5, options.seconds - 0.7) for _ in range(options.pauses))
    restarted = options.pauses // 2
    async with world.running(), Viewer(world.livekit.url, viewer_token(world.livekit, ROOM)) as viewer:
        await viewer.ready()
        with viewer.record_sound() as recording:
            segment = await world.post_sound(ROOM, file.getvalue())
            for number, moment in enumerate(moments):
                say(f"pause {number + 1} of {options.pauses}")
                while (now := (await world.client.get(f"/v1/segments/{segment}")).json())["position"] < moment:
                    if now["finished_at"] is not None:
                        raise RuntimeError(f"it ended as {now['state']} at {now['position']} s")
                    await asyncio.sleep(min(0.2, max(0.02, moment - now["position"])))
                (await world.client.post(f"/v1/rooms/{ROOM}/pause")).raise_for_status()
                if number == restarted:
                    await world.service.stop(signal.SIGTERM)
                    await world.service.start()
                    await world.service_answers()
                await asyncio.sleep(world.random.uniform(0.6, 1.5))
                (await world.client.post(f"/v1/rooms/{ROOM}/resume")).raise_for_status()
                await asyncio.sleep(0.3)
            end = await world.ended(segment)
            await asyncio.sleep(1.0)
    heard = np.frombuffer(b"".join(recording), np.int16).astype(np.float64) / 32_768
    if options.keep:
        soundfile.write(options.keep, heard, SAMPLE_RATE)
    return Result(end["state"], end["position"], options.seconds, find_parts(heard, original))


def table(result: Result) -> Sequence[tuple[str, object]]:
    milliseconds = [1000 * seam for seam in result.seams]
    beyond = sum(abs(seam) > 1000 * BLOCK for seam in milliseconds)
    between = milliseconds[1:-1]
    return [
        ("state, position, s", f"{result.state}, {result.position:.3f}"),
        ("parts", len(result.parts)),
        ("missing at the beginning, ms", f"{milliseconds[0]:.0f}"),
        ("missing at the end, ms", f"{milliseconds[-1]:.0f}"),
        ("seams, ms: median (range)", f"{statistics.median(between):.0f} ({min(between):.0f} to {max(between):.0f})"),
        (f"of all, beyond {1000 * BLOCK:.0f} ms", f"{beyond} of {len(milliseconds)}"),
    ]


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pauses", type=int, default=20, help="at random moments (20)")
    parser.add_argument("--seconds", type=float, default=60.0, help="that the sound lasts (60)")
    parser.add_argument("--avatar", choices=("ours", "stock"), default="ours", help="stock: livekit-agents' receiver")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="write the recording to this file")
    parser.add_argument("--json", type=Path, help="write both ends of each part to this file")
    options = parser.parse_args()
    result = await measure(options)
    say("")
    print("\r" + "\n".join(f"{name:44}{value}" for name, value in table(result)))
    if options.json:
        options.json.write_text(json.dumps(asdict(result) | {"seams": result.seams}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
