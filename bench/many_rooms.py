"""One sender and many rooms: do they all speak, does anything stay behind, and what does waiting cost?

::

    python bench/many_rooms.py cold [--rooms 40]
    python bench/many_rooms.py churn [--sessions 500] [--at-once 4] [--bare 100] [--json FILE]
    python bench/many_rooms.py waiting [--rooms 600] [--seconds 20]

The avatars are scripted receivers (docs/conformance.md) in one process beside the sender, and say what left them onto
their audio tracks.

- cold: a service that was in no room gets a segment of 2 s for each of ``--rooms`` rooms at once, in which its avatar
  waits. Every one has to be ``finished`` with its avatar's receipt, and to have left its avatar whole.
- churn: ``--sessions`` rooms are opened, spoken into and closed again, one half by deleting them, as ``DELETE
  /v1/rooms/{room}`` does, the other by the sender's leaving them when they are quiet. Threads, descriptors and tasks of
  the sender have to be back where they were, and its objects and what the C library has allocated for it (mallinfo2)
  must not grow with their number. It is in one more room throughout: where there is none, the SDK frees more than it
  does in a sender that is never idle. It is measured at rest, a minute after the last session, since the SDK closes a
  connection so long after it was left: after the first sessions, by which what is loaded or made once is made, after
  the first half of the others, and at the end. livekit 1.1.21 and 1.2.1 leak half a megabyte whenever a room is left in
  which somebody publishes a track (livekit/rust-sdks#1378). The sender does not: ``--bare`` sessions of the SDK alone,
  with the same receivers, are measured after ours, to be seen beside it.
- waiting: a segment waits for an avatar in each of ``--rooms`` rooms; first there is no such room, then all of them are
  there, with nobody in them. What that costs the service, against nothing waiting.

Prints what was measured and a verdict; the exit code is 1 if it is not what it has to be.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import psutil
from livekit import rtc

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import scripted_rooms, services, tones  # noqa: E402
from bench.held import Held, give_back  # noqa: E402
from bench.scripted_rooms import ScriptedRooms  # noqa: E402
from bench.sender_load import Child  # noqa: E402

from mouthpiece.segments import Receipt, Source, State, new_segment_id  # noqa: E402
from mouthpiece_avatar.testing import Presented  # noqa: E402
from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402
from mouthpiece_sender.gateway import Gateway  # noqa: E402
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi  # noqa: E402
from mouthpiece_sender.livekit.target import LiveKitTarget  # noqa: E402
from mouthpiece_sender.storage.store import Store  # noqa: E402
from mouthpiece_sender.target import SpeakRequest  # noqa: E402
from tests.live.viewer import viewer_token  # noqa: E402
from tests.sounds import Tone  # noqa: E402

LENGTH: Final = 2.0
"""Seconds of a segment of ``cold``."""
WHOLE: Final = 0.1
"""Seconds by which what left an avatar may be shorter than what was sent: blocks at its edges are quiet."""
WITHIN: Final = 300.0
"""Seconds for all segments of ``cold`` to end."""
SHORT: Final = 0.4
"""Seconds of a segment of ``churn``."""
QUIET: Final = 0.5
"""Seconds that the sender stays in a quiet room of ``churn``."""
FIRST: Final = 8
"""Sessions of ``churn`` before the measurement."""
SETTLED: Final = 60.0
"""Seconds after a session until what it holds is counted: the SDK closes what is left of a connection by then."""
POOL: Final = 32
"""Threads that asyncio makes for ``to_thread`` at most."""
TELLS: Final = 200
"""Sessions from which a slope of the memory can be told from what the allocator does."""
SLOPE: Final = 10.0
"""Kilobytes of memory that a session may leave: 5 MB in 500."""
OBJECTS: Final = 10.0
"""Python objects that a session may leave."""
SHARE: Final = 0.2
"""Of a core, that 600 rooms may cost that wait: half of the 0.4 that it was when each of them looked for itself."""


def verdict(faults: Sequence[str], good: str) -> int:
    """Print it, and return the exit code."""
    for fault in faults:
        print(f"FAILED: {fault}")
    if not faults:
        print(f"passed: {good}")
    return 1 if faults else 0


def say(text: str) -> None:
    print(f"\r{text:70}", end="", file=sys.stderr, flush=True)


# cold


async def cold(rooms: int) -> int:
    names = [f"cold-{number}" for number in range(rooms)]
    sound = tones.segment(0, LENGTH)
    async with (
        services.server() as livekit,
        scripted_rooms.running(livekit) as receivers,
        services.service(livekit, settings={"MOUTHPIECE_MAX_ROOMS": "0"}) as (client, process),
    ):
        say(f"{rooms} receivers join")
        await asyncio.gather(*(receivers.open(name) for name in names))
        await asyncio.sleep(2)
        say(f"{rooms} rooms are spoken into")
        began = time.monotonic()
        ends = await asyncio.gather(*(spoken(client, name, sound) for name in names))
        took, descriptors = time.monotonic() - began, process.num_fds()
        heard = [await receivers.heard(name) for name in names]
    say("")
    states = Counter(f"{end['state']}, {end['receipt']}" for end in ends)
    whole = sum(one.seconds >= LENGTH - WHOLE for one in heard)
    firsts = sorted(one.first - began for one in heard if one.first is not None)
    print(f"\r{rooms} rooms, a segment of {LENGTH:g} s in each, the service in none of them before")
    print(f"segments: {', '.join(f'{count} {state}' for state, count in states.most_common())}")
    print(f"left their avatars whole: {whole} of {rooms}")
    if firsts:
        middle = statistics.median(firsts)
        print(f"first sound at the avatars, s: {firsts[0]:.2f} to {firsts[-1]:.2f}, median {middle:.2f}")
    print(f"all over after {took:.1f} s; the service's descriptors then: {descriptors}")
    faults = [f"{count} segments are {state}" for state, count in states.items() if state != "finished, confirmed"]
    if whole < rooms:
        faults.append(f"{rooms - whole} segments did not leave their avatars whole")
    return verdict(faults, f"all {rooms} rooms speak")


async def spoken(client: httpx.AsyncClient, room: str, sound: bytes) -> dict[str, Any]:
    """The segment, once it has ended."""
    answer = await client.post(f"/v1/rooms/{room}/segments", content=sound, headers={"Content-Type": "audio/wav"})
    answer.raise_for_status()
    segment: dict[str, Any] = answer.json()
    until = time.monotonic() + WITHIN
    while segment["finished_at"] is None and time.monotonic() < until:
        wait: dict[str, str] = {"wait": "finished", "timeout": "20"}
        segment = (await client.get(f"/v1/segments/{segment['id']}", params=wait)).json()
    return segment


# churn


async def churn(sessions: int, at_once: int, bare: int, json_file: Path | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            services.server() as livekit,
            scripted_rooms.running(livekit) as receivers,
            LiveKitApi(LiveKitAccess(livekit.url, livekit.api_key, livekit.api_secret)) as server,
            Store(Path(folder) / "mouthpiece.db") as store,
        ):
            target = LiveKitTarget(access(livekit), server, instance=secrets.token_hex(3), warm=QUIET)
            async with Gateway(target, store) as gateway, one_room(livekit):
                await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.1) for _ in range(POOL)))
                one = Churn(gateway, server, receivers)
                half, rests = sessions // 2, []
                for numbers in (range(-FIRST, 0), range(half), range(half, sessions)):
                    await one.run(numbers, at_once)
                    say("at rest, for a minute")
                    rests.append(await one.at_rest())
            bare_slope = await bare_sessions(livekit, receivers, bare) if bare else 0.0
    say("")
    if json_file:
        samples = json.dumps([asdict(sample) for sample in one.samples])
        await asyncio.to_thread(json_file.write_text, samples)
    return report(one, rests, bare_slope)


@contextlib.asynccontextmanager
async def one_room(livekit: LiveKit) -> AsyncIterator[None]:
    """Be in a room with nobody else."""
    room = rtc.Room()
    await room.connect(livekit.url, viewer_token(livekit, "stays"))  # an agent alone does not keep a room open
    yield
    await room.disconnect()


def access(livekit: LiveKit) -> LiveKitAccess:
    return LiveKitAccess(livekit.url, livekit.api_key, livekit.api_secret)


class Churn:
    """Sessions in one sender."""

    def __init__(self, gateway: Gateway, server: LiveKitApi, receivers: ScriptedRooms) -> None:
        self._gateway, self._server, self._receivers = gateway, server, receivers
        self.samples: list[Held] = []
        self.outcomes: Counter[str] = Counter()
        self.unheard = 0
        self._done = -FIRST

    async def run(self, numbers: range, at_once: int) -> None:
        left = iter(numbers)

        async def work() -> None:
            for number in left:
                await self._session(number)
                self._done += 1
                self.samples.append(Held.now(self._done))
                say(f"{max(0, self._done)} sessions")

        async with asyncio.TaskGroup() as tasks:
            for _ in range(at_once):
                tasks.create_task(work())

    async def _session(self, number: int) -> None:
        room = f"churn-{number}"
        await self._receivers.open(room)
        request = SpeakRequest(room, Tone(SHORT), Source("file", "tone"), new_segment_id())
        segment = await self._gateway.speak(request)
        ended = await self._gateway.wait(segment.id, "finished", 60)
        if number >= 0:
            self.outcomes[f"{ended.state.value}, {ended.receipt.value}"] += 1
        if number % 2:
            await self._gateway.end_room(room, "The session is over.")
            await self._server.delete_room(room)
        heard = await self._receivers.close(room)
        self.unheard += heard.seconds < SHORT - WHOLE

    async def at_rest(self) -> Held:
        """What is held once the sender is in no room any more, and nothing is being closed."""
        while self._gateway.activity():
            await asyncio.sleep(0.1)
        await asyncio.sleep(SETTLED)
        gc.collect()
        give_back()
        return Held.now(self._done)


async def bare_sessions(livekit: LiveKit, receivers: ScriptedRooms, sessions: int) -> float:
    """Kilobytes that a session of the SDK alone leaves."""
    memory = []
    child = str(ROOT / "bench/bare_sessions.py")
    async with services.process(child, log=None, LIVEKIT_URL=livekit.url) as process:
        there = Child(process)
        await there.heard()
        for number in range(-FIRST, sessions):
            say(f"the SDK alone, {max(0, number)} of {sessions} sessions")
            room = f"bare-{number}"
            await receivers.open(room)
            token = services.token(livekit, "bare", room=room)
            memory.append((await there.tell("session", token, Presented.MOUTHPIECE.identity))["memory"])
            await receivers.close(room)
    later = memory[FIRST:]
    return 1000 * float(np.polyfit(range(len(later)), later, 1)[0])


def report(churn: Churn, rests: Sequence[Held], bare_slope: float) -> int:
    before, middle, after = rests
    most = Held(
        0,
        max(one.memory for one in churn.samples),
        max(one.allocated for one in churn.samples),
        max(one.threads for one in churn.samples),
        max(one.descriptors for one in churn.samples),
        max(one.tasks for one in churn.samples),
        max(one.objects for one in churn.samples),
    )
    outcomes = ", ".join(f"{count} {what}" for what, count in churn.outcomes.items())
    print(f"\r{after.sessions} sessions in one sender: {outcomes}")
    print(f"{'':24}{'before':>10}{'at most':>10}{'half':>10}{'after':>10}")
    for name in ("threads", "descriptors", "tasks", "objects", "memory", "allocated"):
        row = [f"{getattr(one, name):.1f}".removesuffix(".0") for one in (before, most, middle, after)]
        unit = ", MB" if name in ("memory", "allocated") else ""
        print(f"{name + unit:24}" + "".join(f"{value:>10}" for value in row))
    slope = 1000 * (after.allocated - middle.allocated) / (after.sessions - middle.sessions)
    print(f"allocated over the second half of them: {slope:+.1f} kB a session; the SDK alone: {bare_slope:+.1f} kB")
    good = f"{State.FINISHED.value}, {Receipt.CONFIRMED.value}"
    faults = [f"{count} segments are {what}" for what, count in churn.outcomes.items() if what != good]
    if churn.unheard:
        faults.append(f"{churn.unheard} segments did not leave their avatars whole")
    for name, more in (("threads", 1), ("descriptors", 2), ("tasks", 0)):
        if getattr(after, name) > getattr(before, name) + more:
            faults.append(f"{name} are not back where they were")
    if (left := (after.objects - before.objects) / after.sessions) > OBJECTS:
        faults.append(f"{left:.1f} Python objects stay behind a session")
    if after.sessions < TELLS:
        return verdict(faults, f"nothing stays behind; {TELLS} sessions or more would tell whether memory grows")
    if slope > SLOPE:
        faults.append(f"memory grows by {slope:.1f} kB a session")
    return verdict(faults, "nothing stays behind, nor does memory grow")


# waiting


async def waiting(rooms: int, seconds: float) -> int:
    settings = {
        "MOUTHPIECE_MAX_ROOMS": "0",
        "MOUTHPIECE_AVATAR_TIMEOUT": "3600",
    }
    async with (
        services.server() as livekit,
        services.service(livekit, settings=settings) as (client, process),
        LiveKitApi(access(livekit)) as server,
    ):
        say("nothing waits")
        await asyncio.sleep(5)
        quiet = await share(process, seconds)
        sound = tones.segment(0, 0.5)
        for number in range(rooms):
            say(f"{number} of {rooms} segments are accepted")
            (await client.post(f"/v1/rooms/wait-{number}/segments", content=sound)).raise_for_status()
        say("they wait for rooms")
        await asyncio.sleep(35)
        nowhere = await share(process, seconds)
        for number in range(rooms):
            say(f"{number} of {rooms} rooms are made")
            await server.create_room(f"wait-{number}", empty_timeout=3600, departure_timeout=3600)
        say("they wait for avatars")
        await asyncio.sleep(5)
        empty = await share(process, seconds)
    say("")
    more = {"rooms that do not exist": nowhere - quiet, "rooms with nobody in them": empty - quiet}
    print(f"\r{rooms} rooms wait for their avatars; the service at rest: {100 * quiet:.1f} % of a core")
    for what, value in more.items():
        print(f"{what}: {100 * value:+.1f} % of a core")
    faults = [f"{what} cost {value:.2f} of a core" for what, value in more.items() if value > SHARE * rooms / 600]
    return verdict(faults, f"waiting costs less than {100 * SHARE * rooms / 600:.1f} % of a core")


async def share(process: psutil.Process, seconds: float) -> float:
    """Of a core, that a process uses."""
    began, used = time.monotonic(), sum(process.cpu_times()[:2])
    await asyncio.sleep(seconds)
    return (sum(process.cpu_times()[:2]) - used) / (time.monotonic() - began)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("cold", "churn", "waiting"))
    parser.add_argument("--rooms", type=int, help="of cold (40), of waiting (600)")
    parser.add_argument("--sessions", type=int, default=500, help="of churn (500)")
    parser.add_argument("--bare", type=int, default=100, help="sessions of the SDK alone, after those of churn (100)")
    parser.add_argument("--at-once", type=int, default=4, help="sessions of churn (4)")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement of waiting (20)")
    parser.add_argument("--json", type=Path, help="write what was held after each session of churn to this file")
    options = parser.parse_args()
    if options.what == "cold":
        return await cold(options.rooms or 40)
    if options.what == "churn":
        return await churn(options.sessions, options.at_once, options.bare, options.json)
    return await waiting(options.rooms or 600, options.seconds)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
