"""How many rooms a core speaks into beside livekit-agents' own output, and what the service takes a second.

::

    python bench/rooms.py [speaking] [answering] [accepting] [--rooms 10] [--seconds 60] [--trials 50] [--json FILE]

- speaking: ``--rooms`` rooms are spoken into for ``--seconds``, at the pace of speech, by one process that has them
  all: first by ours, then by livekit-agents' ``DataStreamAudioOutput`` with frames of 100 ms. Both have the same
  samples in memory, and the same receivers, which are scripted (docs/conformance.md) and in another process. Processor
  time of the sender's process: while it speaks, and at rest in its rooms before.
- answering: a service speaks into 1, 10 and 20 rooms, a second of sound each time, one after the other in each room:
  from the ``POST`` to the first byte at the receiver, p50 and p99 of ``--trials`` a room.
- accepting: how many ``POST``s a second are accepted, that is stored (docs/api.md), with 1 and with 16 of them at a
  time, on this machine's disk.

Without a name all three. The exit code is 1 if a room of ours costs more than ``MOST`` of one of the stock output, or
if a segment did not end as it should.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import httpx
import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import scripted_rooms, services, tones  # noqa: E402
from bench.scripted_rooms import ScriptedRooms  # noqa: E402
from bench.sender_load import Child, Meter  # noqa: E402

from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402

MOST: Final = 1.3
"""Times what the stock output costs."""
REST: Final = 10.0
"""Seconds that resting in the rooms is measured for."""
MANY: Final = (1, 10, 20)
"""Rooms of ``answering``."""
AT_ONCE: Final = (1, 16)
"""Requests of ``accepting``."""
ACCEPTED_FOR: Final = 10.0
"""Seconds."""
SENDERS: Final = (("ours", "mouthpiece", "finished, confirmed"), ("stock", "stock", "interrupted False"))
"""As what their receivers are presented, and how a segment has to end."""
HEADERS: Final = {"Content-Type": "audio/wav"}


@dataclass
class Figures:
    rest: dict[str, float] = field(default_factory=dict)
    """Of a core, for one room: ``ours`` and ``stock``."""
    speaking: dict[str, float] = field(default_factory=dict)
    """The same while they speak; resting is in it."""
    first_byte: dict[int, tuple[float, float]] = field(default_factory=dict)
    """By the number of rooms: milliseconds, p50 and p99."""
    accepted: dict[int, float] = field(default_factory=dict)
    """By the number of requests at a time: accepted a second."""
    faults: list[str] = field(default_factory=list)


def say(text: str) -> None:
    print(f"\r{text:70}", end="", file=sys.stderr, flush=True)


@asynccontextmanager
async def sender(kind: str, livekit: LiveKit, rooms: Sequence[str]) -> AsyncIterator[Child]:
    environment = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
    }
    for place, room in enumerate(rooms):
        environment[f"TOKEN_{place}"] = services.token(livekit, f"agent-{room}", room=room)
    child = str(ROOT / "bench/rooms_child.py")
    async with services.process(child, kind, *rooms, log=None, **environment) as running:
        there = Child(running)
        await there.heard()
        yield there


async def speaking(rooms: int, seconds: float, figures: Figures) -> None:
    for kind, presented, right in SENDERS:
        names = [f"{kind}-{number}" for number in range(rooms)]
        async with services.server() as livekit, scripted_rooms.running(livekit) as receivers:
            say(f"{kind}: {rooms} receivers join")
            await asyncio.gather(*(receivers.open(name, presented, f"avatar-{name}") for name in names))
            async with sender(kind, livekit, names) as child:
                await asyncio.sleep(3)
                say(f"{kind}: at rest in {rooms} rooms")
                rest = Meter(lambda child=child: [child.sender])  # type: ignore[misc]
                async with rest:
                    await asyncio.sleep(REST)
                say(f"{kind}: {rooms} rooms are spoken into")
                busy = Meter(lambda child=child: [child.sender])  # type: ignore[misc]
                async with busy:
                    outcomes = (await child.tell("play", str(seconds)))["outcomes"]
        figures.rest[kind], figures.speaking[kind] = rest.share / rooms, busy.share / rooms
        figures.faults += [f"{kind}: a segment ended {outcome}" for outcome in outcomes if outcome != right]
    if figures.speaking["ours"] > MOST * figures.speaking["stock"]:
        figures.faults.append(f"a room of ours costs more than {MOST} times one of the stock output")


async def answering(trials: int, figures: Figures) -> None:
    sound = tones.segment(0, 1.0)
    for rooms in MANY:
        names = [f"answer-{number}" for number in range(rooms)]
        async with (
            services.server() as livekit,
            scripted_rooms.running(livekit) as receivers,
            services.service(livekit) as (client, _),
        ):
            say(f"{rooms} receivers join")
            await asyncio.gather(*(receivers.open(name) for name in names))
            await asyncio.gather(*(_spoken(client, name, sound) for name in names))  # joined, and warm
            say(f"{rooms} rooms are spoken into, {trials} times each")
            sent: dict[str, float] = {}

            async def talk(room: str, client: httpx.AsyncClient = client, sent: dict[str, float] = sent) -> None:
                for _ in range(trials):
                    await asyncio.sleep(0.2 + 0.6 * random.random())
                    began = time.monotonic()
                    sent[await _spoken(client, room, sound)] = began

            await asyncio.gather(*(talk(name) for name in names))
            arrived = await _arrived(receivers, names)
        times = [1000 * (arrived[segment] - began) for segment, began in sent.items() if segment in arrived]
        if len(times) < len(sent):
            figures.faults.append(f"{len(sent) - len(times)} of {len(sent)} segments did not arrive")
        p50, p99 = np.percentile(times, (50, 99))
        figures.first_byte[rooms] = float(p50), float(p99)


async def _spoken(client: httpx.AsyncClient, room: str, sound: bytes) -> str:
    """The segment's id, once it has ended."""
    path, wait = f"/v1/rooms/{room}/segments", {"wait": "finished", "timeout": "60"}
    answer = await client.post(path, content=sound, headers=HEADERS, params=wait)
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _arrived(receivers: ScriptedRooms, rooms: Sequence[str]) -> Mapping[str, float]:
    heard = [await receivers.heard(room) for room in rooms]
    return {segment: at for one in heard for segment, at in one.arrived.items()}


async def accepting(figures: Figures) -> None:
    sound = tones.segment(0, 0.3)
    settings = {"MOUTHPIECE_MAX_QUEUE": "1000000", "MOUTHPIECE_AVATAR_TIMEOUT": "3600"}
    for at_once in AT_ONCE:
        async with services.server() as livekit, services.service(livekit, settings=settings) as (client, _):
            say(f"accepting, {at_once} at a time")
            accepted = 0
            until = time.monotonic() + ACCEPTED_FOR

            async def post(place: int, client: httpx.AsyncClient = client, until: float = until) -> int:
                count = 0
                while time.monotonic() < until:
                    answer = await client.post(f"/v1/rooms/accept-{place}/segments", content=sound, headers=HEADERS)
                    answer.raise_for_status()
                    count += 1
                return count

            accepted = sum(await asyncio.gather(*(post(place) for place in range(at_once))))
            figures.accepted[at_once] = accepted / ACCEPTED_FOR


def table(figures: Figures) -> str:
    lines = []
    if figures.speaking:
        lines.append(f"{'':44}{'ours':>10}{'stock':>10}{'times':>8}")
        for title, shares in (("a room at rest, % of a core", figures.rest), ("a speaking room", figures.speaking)):
            ours, stock = (100 * shares[kind] for kind in ("ours", "stock"))
            lines.append(f"{title:44}{ours:>10.2f}{stock:>10.2f}{ours / stock:>8.2f}")
        more = {kind: figures.speaking[kind] - figures.rest[kind] for kind in ("ours", "stock")}
        ours, stock = (100 * more[kind] for kind in ("ours", "stock"))
        lines.append(f"{'  of it the speaking':44}{ours:>10.2f}{stock:>10.2f}{ours / stock:>8.2f}")
        rooms = [1 / figures.speaking[kind] for kind in ("ours", "stock")]
        lines.append(f"{'speaking rooms a core':44}{rooms[0]:>10.1f}{rooms[1]:>10.1f}")
    for rooms_there, (p50, p99) in figures.first_byte.items():
        lines.append(f"POST to the first byte, ms, {rooms_there} rooms: p50 {p50:.0f}, p99 {p99:.0f}")
    for at_once, rate in figures.accepted.items():
        lines.append(f"durable POSTs a second, {at_once} at a time: {rate:.0f}")
    return "\n".join(lines)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="speaking|answering|accepting", help="which of them; all")
    parser.add_argument("--rooms", type=int, default=10, help="of speaking (10)")
    parser.add_argument("--seconds", type=float, default=60, help="that they are spoken into (60)")
    parser.add_argument("--trials", type=int, default=50, help="of answering, a room (50)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    known = ("speaking", "answering", "accepting")
    if unknown := set(options.what) - {*known}:
        parser.error(f"{', '.join(sorted(unknown))} is none of {', '.join(known)}")
    what = options.what or known
    figures = Figures()
    if "speaking" in what:
        await speaking(options.rooms, options.seconds, figures)
    if "answering" in what:
        await answering(options.trials, figures)
    if "accepting" in what:
        await accepting(figures)
    say("")
    print(f"\r{table(figures)}")
    if options.json:
        options.json.write_text(json.dumps(asdict(figures), indent=2))
    for fault in figures.faults:
        print(f"FAILED: {fault}")
    if not figures.faults:
        print("passed")
    return 1 if figures.faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
