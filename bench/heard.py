"""Whether what the sender says of a segment is what a viewer recorded, where an avatar's own receipts prove little.

::

    python bench/heard.py [--segments 200] [--fault NAME …] [--cost SECONDS] [--json FILE]

``--segments`` segments are said to receivers that are presented as stock avatars and whose reports are wrong in the
ways of vendors: a room, a receiver (in a process of its own) and a viewer for each way, one segment after the other.
Most are livekit-agents' protocol as the scripted receiver speaks it (docs/conformance.md), one is livekit-agents' own
receiver. Each segment is a tone in syllables, another one than the one before, so a recording says how much of it was
heard without a look at what the sender's listening compares.

What the sender says is *false* if the recording does not hold it: ``finished`` of what was not heard whole, whatever
the receipt; ``avatar-unheard`` of what was heard; a position of what broke off that is wrong by more than ``OFF``. It
is *too little* if it is ``estimated`` where it could be told, which a busy machine brings about: what it plays has
holes.

``--cost`` seconds of speech (60, 0: none) are said by a service that listens and by one that does not: what that costs.

The exit code is 1 if anything false was said, if something else than ``estimated`` was said where nothing can be told,
or if more than a tenth of the rest is ``estimated``.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import psutil

ROOT = Path(__file__).parent.parent
THIS = str(Path(__file__).resolve())
sys.path.insert(0, str(ROOT))

from bench import scripted_rooms, services  # noqa: E402

from mouthpiece.audio.pcm import Samples  # noqa: E402
from mouthpiece.segments import Source, new_segment_id  # noqa: E402
from mouthpiece_avatar.testing import Credentials, Presented, ScriptedReceiver, parse  # noqa: E402
from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402
from mouthpiece_sender.gateway import Gateway  # noqa: E402
from mouthpiece_sender.livekit.server_api import LiveKitAccess  # noqa: E402
from mouthpiece_sender.target import SpeakRequest  # noqa: E402
from tests.live.sender.conftest import running_gateway  # noqa: E402
from tests.live.sender.fault_trials import HOP, Syllables, windows_with  # noqa: E402
from tests.live.viewer import SAMPLE_RATE, Viewer, viewer_token  # noqa: E402

TONES: Final = (455.0, 585.0, 715.0, 845.0, 975.0)
"""Hertz, between the harmonics of ``other-speech``."""
LENGTHS: Final = (1.6, 2.4, 3.2)
"""Seconds of a segment, in turn."""
TOO_SHORT: Final = 0.35
"""Seconds of a segment of which nothing can be told."""
WHOLE: Final = 0.85
"""The share of a segment from which it was heard whole: a jitter buffer that catches up leaves some out."""
NOTHING: Final = 0.15
"""The share below which it was not heard."""
OFF: Final = 0.35
"""Seconds by which the position of a segment that broke off may differ from what was recorded."""
ARRIVES: Final = 1.0
"""Seconds after an end in which its last sound may still arrive at the viewer."""
WITHIN: Final = 60.0
"""Seconds for a segment to end."""
MISSED: Final = 0.1
"""The share of segments that may be ``estimated`` although it could be told."""
STOCK_PLAYER: Final = "livekit-agents' own"
RECEIVE: Final = "receive"
"""First argument of the process of a scripted receiver."""


@dataclass(frozen=True, slots=True)
class Way:
    """What a receiver does, and of what kind the segments are."""

    name: str
    fault: str = ""
    """Of the scripted receiver; empty: none."""
    sound: str = "syllables"
    """Or ``silence``, or ``short``."""

    @property
    def undecidable(self) -> bool:
        return self.sound != "syllables" or "other-speech" in self.fault


WAYS: Final = (
    Way("as it should be"),
    Way(STOCK_PLAYER),
    Way("receipt-early", "receipt-early"),
    Way("receipt-late", "receipt-late"),
    Way("receipt-missing", "receipt-missing"),
    Way("receipt-doubled", "receipt-doubled"),
    Way("receipt-short", "receipt-short"),
    Way("noise", "noise"),
    Way("silent", "silent"),
    Way("stalls", "stalls"),
    Way("another's speech", "other-speech"),
    Way("silence is sent", sound="silence"),
    Way("under 0.5 s", sound="short"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of one segment, and what a viewer recorded of it."""

    way: str
    length: float
    state: str
    receipt: str
    position: float
    error: str
    """The slug; empty: none."""
    recorded: float
    """Seconds of its sound."""
    made: float
    """Seconds of sound in it."""
    up_to_position: float
    """Seconds of sound in it up to the position."""
    undecidable: bool

    @property
    def share(self) -> float:
        return self.recorded / self.made if self.made else 1.0

    @property
    def false(self) -> bool:
        """The recording says otherwise."""
        if self.error == "avatar-unheard":
            return self.share > NOTHING
        if self.state == "finished":
            return self.share < WHOLE
        return abs(self.recorded - self.up_to_position) > OFF

    @property
    def decided(self) -> bool:
        """Something was said that is no estimate."""
        return self.receipt in ("heard", "confirmed") or self.error == "avatar-unheard"

    @property
    def overstated(self) -> bool:
        """Something was said where nothing can be told."""
        return self.undecidable and self.decided

    @property
    def too_little(self) -> bool:
        return not self.undecidable and not self.decided


class Silent(Syllables):
    """Nothing to hear."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds, TONES[0])
        self.samples = np.zeros_like(self.samples)


def seconds_with(samples: Samples, rate: int, hertz: float) -> float:
    return windows_with(samples, rate, hertz) * HOP if len(samples) else 0.0


@asynccontextmanager
async def stock_player(livekit: LiveKit, room: str) -> AsyncIterator[None]:
    """livekit-agents' own receiver, with a voice."""
    attributes = {"lk.publish_on_behalf": "agent-bench"}
    token = services.token(livekit, "simli-avatar-agent", room=room, **attributes)
    script = str(ROOT / "tests/live/sender/stock_player.py")
    async with services.process(script, livekit.url, token) as process:
        assert process.stdout is not None
        await process.stdout.readline()
        yield


def receiver(livekit: LiveKit, room: str, way: Way) -> AbstractAsyncContextManager[object]:
    if way.name == STOCK_PLAYER:
        return stock_player(livekit, room)
    return scripted_receiver(livekit, room, way)


@asynccontextmanager
async def scripted_receiver(livekit: LiveKit, room: str, way: Way) -> AsyncIterator[None]:
    access = (livekit.url, livekit.api_key, livekit.api_secret)
    async with services.process(THIS, RECEIVE, *access, room, way.fault) as process:
        assert process.stdout is not None
        await process.stdout.readline()
        yield


async def receive(url: str, key: str, secret: str, room: str, fault: str) -> int:
    """What the process of a scripted receiver does, until it is killed."""
    scripted = ScriptedReceiver(
        Credentials(url, key, secret), room, parse(fault) if fault else None, presented=Presented.STOCK
    )
    async with scripted:
        print("ready", flush=True)
        await asyncio.Event().wait()
    return 0


async def tried(livekit: LiveKit, way: Way, count: int) -> list[Said]:
    room = f"heard-{WAYS.index(way)}"
    access = LiveKitAccess(livekit.url, livekit.api_key, livekit.api_secret)
    found = []
    async with (
        Viewer(livekit.url, viewer_token(livekit, room), sound_only=True) as viewer,
        running_gateway(access) as gateway,
        receiver(livekit, room, way),
    ):
        with viewer.record_sound() as recording:
            await viewer.until(lambda: bool(recording))
            for number, hertz in zip(range(count), itertools.cycle(TONES)):
                length = TOO_SHORT if way.sound == "short" else LENGTHS[number % len(LENGTHS)]
                sound = Silent(length) if way.sound == "silence" else Syllables(length, hertz)
                found.append(await say(gateway, room, way, sound, hertz, recording))
                print(f"\r{way.name}: {number + 1} of {count}{'':30}", end="", file=sys.stderr, flush=True)
    return found


async def say(
    gateway: Gateway, room: str, way: Way, sound: Syllables, hertz: float, recording: Sequence[bytes]
) -> Said:
    before = len(recording)
    request = SpeakRequest(room, sound, Source("file", "syllables"), new_segment_id())
    ended = await gateway.wait((await gateway.speak(request)).id, "finished", WITHIN)
    await asyncio.sleep(ARRIVES)
    rate, position = sound.info.sample_rate, ended.position or 0.0
    recorded = np.frombuffer(b"".join(recording[before:]), np.int16)
    return Said(
        way.name,
        sound.info.duration or 0.0,
        ended.state.value,
        ended.receipt.value,
        position,
        ended.error.type if ended.error else "",
        seconds_with(recorded, SAMPLE_RATE, hertz),
        seconds_with(sound.samples, rate, hertz),
        seconds_with(sound.samples[: round(position * rate)], rate, hertz),
        way.undecidable,
    )


def table(found: Sequence[Said]) -> str:
    heads = ("receiver", "segments", "said", "recorded, %", "false", "too little")
    rows = [heads, ("---",) * len(heads)]
    for way in WAYS:
        own = [one for one in found if one.way == way.name]
        if own:
            said = sorted({" ".join(filter(None, (one.state, one.receipt, one.error))) for one in own})
            said = [f"{sum(' '.join(filter(None, (o.state, o.receipt, o.error))) == s for o in own)} {s}" for s in said]
            shares = [100 * one.share for one in own if one.made]
            recorded = f"{min(shares):.0f} to {max(shares):.0f}" if shares else "–"
            false = sum(one.false or one.overstated for one in own)
            little = sum(one.too_little for one in own)
            rows.append((way.name, str(len(own)), "; ".join(said), recorded, str(false), str(little)))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def faults_of(found: Sequence[Said]) -> list[str]:
    faults = [f"{one.way}: {one.state}, {one.receipt}, recorded {one.share:.0%}" for one in found if one.false]
    faults += [f"{one.way}: {one.receipt}, where nothing can be told" for one in found if one.overstated]
    tellable = [one for one in found if not one.undecidable]
    little = sum(one.too_little for one in tellable)
    if little > MISSED * len(tellable):
        faults.append(f"{little} of {len(tellable)} are estimated although it could be told")
    return faults


async def cost(livekit: LiveKit, seconds: float, *, listen: bool) -> float:
    """Seconds of processor time a second of speech, beyond being in the room."""
    room, sound = f"cost-{listen}", Syllables(seconds, TONES[0])
    async with (
        scripted_rooms.running(livekit) as receivers,
        services.service(livekit, settings={"MOUTHPIECE_LISTEN": str(listen).lower()}) as (client, process),
    ):
        await receivers.open(room, "stock")
        path = f"/v1/rooms/{room}/segments"
        headers = {"Content-Type": f"audio/pcm;rate={sound.info.sample_rate};channels=1"}

        async def spoken(samples: Samples) -> float:
            began = used(process)
            options = {"wait": "finished", "timeout": str(len(samples) / sound.info.sample_rate + 30)}
            answer = await client.post(path, content=samples.tobytes(), headers=headers, params=options, timeout=None)
            answer.raise_for_status()
            return used(process) - began

        await spoken(sound.samples[: 3 * sound.info.sample_rate])
        await asyncio.sleep(4)
        began, at = used(process), time.monotonic()
        await asyncio.sleep(10)
        idle = (used(process) - began) / (time.monotonic() - at)
        return await spoken(sound.samples) / seconds - idle


def used(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


async def main() -> int:
    if sys.argv[1:2] == [RECEIVE]:
        return await receive(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=200, help="in all (200)")
    parser.add_argument("--fault", nargs="+", choices=[way.name for way in WAYS], help="some of the ways; all")
    parser.add_argument("--cost", type=float, default=60, help="seconds of speech that listening is measured for (60)")
    parser.add_argument("--json", type=Path, help="write what was said of each segment to this file")
    options = parser.parse_args()
    ways = [way for way in WAYS if options.fault is None or way.name in options.fault]
    found: list[Said] = []
    async with services.server() as livekit:
        for number, way in enumerate(ways):
            count = options.segments // len(ways) + (number < options.segments % len(ways))
            found += await tried(livekit, way, count)
        costs = {}
        for listen in (True, False) if options.cost else ():
            print(f"\rwhat it costs to {'listen' if listen else 'be deaf'}{'':30}", end="", file=sys.stderr, flush=True)
            costs[listen] = await cost(livekit, options.cost, listen=listen)
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    print(table(found))
    if costs:
        on, off = (1000 * costs[listen] for listen in (True, False))
        print(f"processor, ms a second of speech: {on:.1f} with MOUTHPIECE_LISTEN, {off:.1f} without: {on - off:+.1f}")
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in found], indent=2))
    faults = faults_of(found)
    for fault in faults:
        print(f"FAILED: {fault}")
    if not faults:
        print(f"passed: of {len(found)} segments nothing false was said")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
