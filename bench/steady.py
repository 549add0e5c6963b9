"""Whether pictures and sound stay true at a viewer for ten minutes of speech and silence.

::

    python bench/steady.py [--seconds 600] [--json FILE]

The avatar says rounds of a test signal (a tone that is loud from its first sample and opens the mouth wide), half a
second of silence, some seconds of a voice, and is silent for some seconds. Of what reaches a viewer, a process of the
LiveKit SDK on the same machine:

- pictures a second, in the whole time and in each minute: 25.0, ``RATE_OFF`` off at most
- how late a picture is against the beat of the pictures before it: ``LATE`` ms at most; and how late the avatar had
  handed it over, by the same clock
- sound against mouth: the first picture that shows the tone minus the first loud frame of 10 ms: ``APART`` ms at most;
  below zero the picture is early

The exit code is 1 if one of them is not kept.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf
from livekit import rtc

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import services  # noqa: E402
from bench.latency import RATE, SENDER, Sender, awake, first_shown, mouth, resting, spread, tone  # noqa: E402

from tests.live.viewer import Viewer, viewer_token  # noqa: E402

FPS: Final = 25
RATE_OFF: Final = 0.1
"""Pictures a second."""
LATE: Final = 60.0
"""Milliseconds."""
APART: Final = 40.0
"""Milliseconds."""
BEAT_OF: Final = 250
"""Pictures whose median is the beat of the next one."""
VOICE: Final = ROOT / "assets" / "lighthouse_16kHz.wav"
SIGNAL, HUSH, SPOKEN, SILENT = 0.4, 0.5, 7.0, 4.0
"""Seconds of a round."""


@dataclass
class Steady:
    """What reached the viewer."""

    rate: float = 0.0
    """Pictures a second."""
    minutes: list[float] = field(default_factory=list)
    """The same of each minute."""
    lateness: list[float] = field(default_factory=list)
    """Of the latest pictures, most first; milliseconds."""
    handed_over: list[float] = field(default_factory=list)
    """The same when the avatar had handed them to LiveKit."""
    apart: list[float] = field(default_factory=list)
    """Mouth after sound, of each signal that both showed; milliseconds."""
    signals: int = 0
    """That were sent."""


def lateness(times: Sequence[float]) -> list[float]:
    """Return how many milliseconds each picture came after its beat.

    The beat is every ``1 / FPS`` seconds, at the median phase of the ``BEAT_OF`` pictures before: one that was left out
    makes those after it late by one beat, until they are the beat.
    """
    phases = np.asarray(times) - np.arange(len(times)) / FPS
    late = []
    for index, phase in enumerate(phases):
        first = max(0, index - BEAT_OF)
        late.append(1000 * float(phase - np.median(phases[first : first + BEAT_OF])))
    return late


def a_round(number: int) -> bytes:
    """Return the sound of a round, s16le at ``RATE``; each has another part of the voice."""
    voice, _ = sf.read(VOICE, dtype="int16")
    parts = len(voice) // round(SPOKEN * RATE)
    start = number % parts * round(SPOKEN * RATE)
    spoken: bytes = voice[start : start + round(SPOKEN * RATE)].astype("<i2").tobytes()
    return tone(SIGNAL) + bytes(2 * round(HUSH * RATE)) + spoken


async def measure(seconds: float, say: Callable[[str], None]) -> Steady:
    found = Steady()
    with tempfile.TemporaryDirectory() as folder:
        handed_over = Path(folder) / "pictures"
        program = (str(ROOT / "bench/timed_avatar.py"), str(handed_over))
        began, ended = await watch(seconds, program, found, say)
        times = [float(line.split()[1]) for line in handed_over.read_text().splitlines()]
    late = lateness([at for at in times if began <= at <= ended])
    found.handed_over = sorted(late, reverse=True)[:100]
    return found


async def watch(
    seconds: float, program: Sequence[str], found: Steady, say: Callable[[str], None]
) -> tuple[float, float]:
    """Return from when to when it was watched, in monotonic seconds."""
    async with services.server() as livekit, services.avatar(livekit, program=program):
        room = rtc.Room()
        await room.connect(livekit.url, services.token(livekit, SENDER), rtc.RoomOptions(auto_subscribe=False))
        announced = await room.local_participant.publish_data_track(name="presence")
        sender = Sender(room)
        try:
            token = viewer_token(livekit, services.ROOM)
            async with Viewer(livekit.url, token, identity=services.AVATAR, probe=mouth) as viewer:
                await awake(sender, viewer)
                await asyncio.sleep(3)
                began = time.monotonic()
                while time.monotonic() - began < seconds:
                    await one_round(sender, viewer, found)
                    say(f"{time.monotonic() - began:.0f} of {seconds:g} s, {found.signals} signals")
                ended = time.monotonic()
                count(found, viewer, began, ended)
        finally:
            del announced
            await room.disconnect()
    return began, ended


async def one_round(sender: Sender, viewer: Viewer, found: Steady) -> None:
    quiet, before = resting(viewer), time.monotonic()
    saying = asyncio.create_task(sender.say(a_round(found.signals)))
    found.signals += 1
    onset = await viewer.onset(before)
    shown = await first_shown(viewer, before, quiet)
    if shown is not None:
        found.apart.append(1000 * (shown - onset))
    await saying
    await sender.receipt(30)
    await asyncio.sleep(SILENT)


def count(found: Steady, viewer: Viewer, began: float, ended: float) -> None:
    times = [picture.at for picture in viewer.pictures if began <= picture.at <= ended]
    found.rate = viewer.fps(began, ended)
    minutes = max(1, int((ended - began) // 60))
    found.minutes = [viewer.fps(began + 60 * each, began + 60 * (each + 1)) for each in range(minutes)]
    found.lateness = sorted(lateness(times), reverse=True)[:100]


def faults(found: Steady) -> list[str]:
    """Return what was not kept."""
    wrong = []
    if any(abs(rate - FPS) > RATE_OFF for rate in (found.rate, *found.minutes)):
        wrong.append(f"pictures a second are not {FPS} within {RATE_OFF}")
    if found.lateness[0] > LATE:
        wrong.append(f"{sum(late > LATE for late in found.lateness)} pictures came over {LATE:g} ms late")
    if not found.apart or max(map(abs, found.apart)) > APART:
        over = sum(abs(apart) > APART for apart in found.apart)
        wrong.append(f"sound and mouth are over {APART:g} ms apart in {over} of {len(found.apart)} signals")
    return wrong


def report(found: Steady) -> str:
    lines = [
        f"pictures a second: {found.rate:.2f}, by the minute {min(found.minutes):.2f} to {max(found.minutes):.2f}",
        f"the latest picture: {found.lateness[0]:.0f} ms after its beat, the tenth {found.lateness[9]:.0f}",
        f"  handed over by the avatar: {found.handed_over[0]:.0f} ms, the tenth {found.handed_over[9]:.0f}",
        f"mouth after sound, ms: {spread(found.apart)}, {len(found.apart)} of {found.signals} signals",
    ]
    if len(found.apart) > 1:
        lines.append(f"  of it the standard deviation: {statistics.stdev(found.apart):.0f}")
    return "\n".join(lines)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600, help="of speech and silence (600)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()

    def say(text: str) -> None:
        print(f"\r{text:60}", end="", file=sys.stderr, flush=True)

    gc.disable()  # it keeps all that it sees: what a collection would take is no lateness of the avatar's
    found = await measure(options.seconds, say)
    say("\r")
    wrong = faults(found)
    print(report(found))
    print("; ".join(wrong) or "passed")
    if options.json:
        options.json.write_text(json.dumps(asdict(found), indent=2))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
