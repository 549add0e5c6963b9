"""What a LiveKit server that stands still in mid-speech costs: states against what a viewer recorded.

::

    python bench/stalls.py [--seconds 5 20 60] [--runs 10] [--avatar ours|stock] [--json FILE]

Each run starts a livekit-server, an avatar and ``mouthpiece serve`` anew, and a viewer who records. Five segments of
3 s are posted; while the first one plays the livekit-server is stopped (SIGSTOP) for so many seconds, one more segment
is posted meanwhile, and the server goes on (SIGCONT). Each half second of each segment is a tone of its own
(tests/live/sender/tones.py), so the recording says what was heard, and in which order.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import json
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.reliability import Scenario, World, say  # noqa: E402

from tests.live.sender.tones import RATE, TONE, heard, scale  # noqa: E402
from tests.live.viewer import Viewer, viewer_token  # noqa: E402

LENGTH = 3.0
"""Seconds of a segment."""
QUEUED = 5
"""Segments behind the one that plays: four, and the one that is posted during the stall."""
TONES = round(LENGTH / TONE)
ROOM = "room-0"


@dataclass
class Run:
    stall: float
    states: list[str]
    positions: list[float]
    tones: list[int]
    """As they began, in the recording."""
    next_sound: float
    """Seconds from SIGCONT."""
    shortened: float
    """Seconds of sound that the viewer's jitter buffer left out in order to catch up."""
    lost: float
    """Seconds of sound that never came to the viewer."""

    def _of(self, segment: int) -> list[int]:
        return [tone for tone in self.tones if tone // TONES == segment]

    @property
    def queued_once(self) -> bool:
        """Each segment behind the first one was heard whole, once and in order."""
        behind = [tone for tone in self.tones if tone >= TONES]
        return behind == [*range(TONES, TONES * (1 + QUEUED))]

    @property
    def left_out(self) -> float:
        """Seconds of the first segment that were not heard."""
        return TONE * len({*range(TONES)} - {*self.tones})

    @property
    def twice(self) -> float:
        """Seconds that were heard again."""
        return TONE * (len(self.tones) - len({*self.tones}))

    @property
    def back(self) -> int:
        """How often the recording goes back."""
        return sum(later < earlier for earlier, later in itertools.pairwise(self.tones))

    @property
    def claims_more(self) -> int:
        """Segments whose position says more than was heard, by more than a tone."""
        return sum(position > TONE * (len({*self._of(number)}) + 1) for number, position in enumerate(self.positions))


def silence(seconds: float) -> bytes:
    """A WAV file."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(round(seconds * RATE), np.int16), RATE, format="WAV")
    return file.getvalue()


async def one(options: argparse.Namespace, stall: float, generator: random.Random) -> Run:
    world = World(Scenario(avatar=options.avatar, keep=options.keep))
    async with world.running(), Viewer(world.livekit.url, viewer_token(world.livekit, ROOM)) as viewer:
        if options.avatar == "stock":
            await world.ended(await world.post_sound(ROOM, silence(0.5)))  # it publishes when its sender has joined
        await viewer.ready()
        with viewer.record_sound() as recording:
            before = await viewer.jitter_buffer()
            segments = [await world.post_sound(ROOM, scale(TONES * number, TONES)) for number in range(QUEUED)]
            while (await world.client.get(f"/v1/segments/{segments[0]}")).json()["state"] != "playing":
                await asyncio.sleep(0.05)
            await asyncio.sleep(generator.uniform(0.3, 2.2))
            world.server.hit(signal.SIGSTOP)
            await asyncio.sleep(stall / 2)
            segments.append(await world.post_sound(ROOM, scale(TONES * QUEUED, TONES)))
            await asyncio.sleep(stall / 2)
            world.server.hit(signal.SIGCONT)
            continued = time.monotonic()
            ends = [await world.ended(segment) for segment in segments]
            await asyncio.sleep(1.0)
            found = heard(recording, TONES * (QUEUED + 1))
            after = await viewer.jitter_buffer()
        sound = await viewer.onset(continued)
    states, positions = [end["state"] for end in ends], [end["position"] for end in ends]
    return Run(
        stall,
        states,
        positions,
        found,
        sound - continued,
        shortened=after.shortened - before.shortened,
        lost=after.lost - before.lost,
    )


def table(runs: list[Run]) -> list[tuple[str, object]]:
    once = sum(run.queued_once for run in runs)
    return [
        ("what was queued: states", counted(state for run in runs for state in run.states[1:])),
        ("what was queued: heard whole, once, in order", f"{once} of {len(runs)}"),
        ("what played: states", counted(run.states[0] for run in runs)),
        ("what played: not heard, s", median_and_most([run.left_out for run in runs])),
        ("heard again, s, of all", median_and_most([run.twice for run in runs])),
        ("times that the recording goes back", median_and_most([run.back for run in runs])),
        ("positions that say more than was heard", sum(run.claims_more for run in runs)),
        ("from SIGCONT to the next sound, s", median_and_most([run.next_sound for run in runs])),
        ("the viewer's jitter buffer: shortened, s", median_and_most([run.shortened for run in runs])),
        ("never came to the viewer, s", median_and_most([run.lost for run in runs])),
    ]


def counted(states: Iterable[str]) -> str:
    return ", ".join(f"{state} {count}" for state, count in Counter(states).most_common())


def median_and_most(figures: Sequence[float]) -> str:
    return f"{statistics.median(figures):.1f} (at most {max(figures):.1f})"


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, nargs="+", default=[5.0, 20.0, 60.0], help="of a stall (5 20 60)")
    parser.add_argument("--runs", type=int, default=10, help="of each length (10)")
    parser.add_argument(
        "--avatar", choices=("ours", "stock"), default="ours", help="stock: livekit-agents' own receiver"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the logs of the last run")
    parser.add_argument("--json", type=Path, help="write every run to this file")
    options = parser.parse_args()
    generator, done = random.Random(options.seed), []
    for stall in options.seconds:
        runs = []
        for number in range(options.runs):
            say(f"a stall of {stall:.0f} s, {number + 1} of {options.runs}")
            runs.append(await one(options, stall, generator))
        say("")
        print(f"\rstopped for {stall:.0f} s, {options.avatar}")
        print("\n".join(f"  {name:52}{value}" for name, value in table(runs)), flush=True)
        done += runs
    if options.json:
        options.json.write_text(json.dumps([asdict(run) for run in done], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
