"""Whether the sender's states say what a viewer recorded, while things are killed, restarted and stalled.

::

    python bench/reliability.py kill      [--rooms 5] [--segments 200] [--faults 50] [--json FILE]
    python bench/reliability.py restart | livekit | avatar | stall [--stall 20] …

Starts a livekit-server, the local avatar (``--avatar stock``: livekit-agents' own) and ``mouthpiece serve``, each in a
process of its own; joins each room as a viewer and records it. Each segment is a pair of tones of its own
(bench/tones.py). While they are posted and spoken, a process is hit ``--faults`` times at random moments:

- ``kill``: the service, with SIGKILL; ``restart``: with SIGTERM. It is started again on the same data folder.
- ``livekit``: the livekit-server is restarted. ``avatar``: the avatar server is killed and started again.
- ``stall``: the livekit-server is stopped for ``--stall`` seconds (SIGSTOP, SIGCONT).

Every POST carries an ``Idempotency-Key`` and is tried until it is answered. At the end each segment's state is held
against the recording: how long it was heard, in how many parts, and in which order.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import httpx
import soundfile

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import services, tones  # noqa: E402
from bench.process import Process  # noqa: E402
from bench.recorder import Recorder  # noqa: E402

from mouthpiece import wire  # noqa: E402
from mouthpiece_sender.demo import livekit_server  # noqa: E402
from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402

TOLERANCE = 0.08
"""Seconds by which what was heard of a segment may differ from its length: a hop at each end, and Opus's own."""
BACK_WITHIN = 40.0
"""Seconds that a process may take to serve again."""
FAULTS = ("none", "kill", "restart", "livekit", "avatar", "stall")


@dataclass
class Judged:
    """One segment: what the API says, and what was heard."""

    room: str
    number: int
    id: str
    state: str
    receipt: str
    position: float
    seconds: float
    heard: float
    parts: int
    posted_twice: bool = False
    ended_by: str | None = None
    attempts: int = 0


@dataclass
class Result:
    fault: str
    faults: int
    segments: list[Judged]
    out_of_order: int

    def rows(self) -> list[tuple[str, object]]:
        states = Counter(segment.state for segment in self.segments)
        finished = [segment for segment in self.segments if segment.state == "finished"]
        short = [one for one in finished if one.heard < one.seconds - TOLERANCE - 0.04 * one.parts]
        twice = [one for one in self.segments if one.heard > one.seconds + TOLERANCE + 0.04 * max(0, one.parts - 1)]
        more = [one for one in self.segments if one.position > one.heard + 0.25]
        parts = Counter(min(one.parts, 3) for one in finished)
        return [
            ("segments accepted", len(self.segments)),
            ("states", ", ".join(f"{state} {count}" for state, count in states.most_common())),
            ("finished, heard whole", len(finished) - len(short)),
            ("finished, heard in part or not at all", len(short)),
            ("heard for longer than it is", len(twice)),
            ("finished, in one part, in two, in more", ", ".join(str(parts[count]) for count in (1, 2, 3))),
            ("position beyond what was heard by 0.25 s", len(more)),
            ("out of order", self.out_of_order),
        ]


class AvatarProcesses:
    """An avatar in each room: ours, all in one server, or livekit-agents' own, each in a process."""

    def __init__(self, livekit: LiveKit, rooms: list[str], kind: str, logs: Path) -> None:
        self._livekit, self._rooms, self._kind = livekit, rooms, kind
        self._port = livekit_server.free_port()
        if kind == "ours":
            command = (sys.executable, "-m", "mouthpiece_avatar", "--port", str(self._port))
            self._processes = [Process(*command, log=logs / "avatar.log", LIVEKIT_URL=livekit.url)]
        else:
            self._processes = [
                Process(
                    *(sys.executable, str(ROOT / "bench/avatar_stock.py"), livekit.url),
                    log=logs / f"avatar-{name}.log",
                    TOKEN=services.token(livekit, "stock-mia", room=name, **services.BEHALF),
                )
                for name in rooms
            ]

    async def start(self) -> None:
        """Start the processes; ours join their rooms before this returns."""
        for process in self._processes:
            await process.start()
        if self._kind == "ours":
            await self._join()

    async def stop(self, number: int = signal.SIGTERM) -> None:
        for process in self._processes:
            await process.stop(number)

    async def _join(self) -> None:
        """Start the avatar in each room, as a worker would."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=60, trust_env=False) as http:
            for name in self._rooms:
                until = time.monotonic() + BACK_WITHIN
                while not await self._joined(http, name):
                    if time.monotonic() > until:
                        raise RuntimeError("the avatar did not join again")
                    await asyncio.sleep(0.2)

    async def _joined(self, http: httpx.AsyncClient, room: str) -> bool:
        token = services.token(self._livekit, services.AVATAR, room=room, **services.BEHALF)
        body = asdict(wire.StartAvatar(self._livekit.url, token, "bench", "mia"))
        try:
            answer = await http.post(wire.START_AVATAR_PATH, json=body, headers={wire.API_SECRET_HEADER: "bench"})
        except httpx.TransportError:
            return False
        return answer.is_success


@dataclass(frozen=True)
class Scenario:
    """What runs, and what happens to it."""

    rooms: int = 1
    avatar: str = "ours"
    fault: str = "none"
    stall: float = 0.0
    """Seconds."""
    patience: float = 240.0
    """Seconds that the last end is waited for."""
    seed: int = 1
    keep: Path | None = None
    """A folder for the recordings and the logs."""


class World:
    """All the processes, and the faults."""

    def __init__(self, options: Scenario) -> None:
        self.options = options
        self.random = random.Random(options.seed)
        self.rooms = [f"room-{index}" for index in range(options.rooms)]
        self.port = livekit_server.free_port()
        self.livekit = LiveKit(
            f"ws://127.0.0.1:{livekit_server.free_port()}", livekit_server.DEV_KEY, livekit_server.DEV_SECRET
        )
        self.data = tempfile.TemporaryDirectory()
        self.serving = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        binary = livekit_server.find_binary()
        if binary is None:
            sys.exit("no livekit-server on PATH or in the cache: `make livekit-server` builds one")
        port = int(self.livekit.url.rsplit(":", 1)[1])
        environment = livekit_server.server_environment(
            port, node_ip="127.0.0.1", api_key=self.livekit.api_key, api_secret=self.livekit.api_secret
        )
        logs = self.options.keep or Path(self.data.name)
        logs.mkdir(parents=True, exist_ok=True)
        self.server = Process(str(binary), log=logs / "livekit.log", **environment)
        self.avatar = AvatarProcesses(self.livekit, self.rooms, self.options.avatar, logs)
        self.service = Process(
            *(sys.executable, "-m", "mouthpiece_sender", "serve", "--port", str(self.port)),
            log=logs / "service.log",
            LIVEKIT_URL=self.livekit.url,
            LIVEKIT_API_KEY=self.livekit.api_key,
            LIVEKIT_API_SECRET=self.livekit.api_secret,
            MOUTHPIECE_DATA=str(Path(self.data.name) / "data"),
            MOUTHPIECE_MAX_QUEUE="100000",
            MOUTHPIECE_AVATAR_TIMEOUT="120",
        )
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False)
        try:
            await self.server.start()
            await self.avatar.start()
            await self.service.start()
            await self.service_answers()
            yield
        finally:
            await self.service.stop()
            await self.avatar.stop()
            await self.server.stop()
            await self.client.aclose()

    async def service_answers(self) -> None:
        until = time.monotonic() + BACK_WITHIN
        while time.monotonic() < until:
            with contextlib.suppress(httpx.TransportError):
                if (await self.client.get("/healthz")).is_success:
                    self.serving.set()
                    return
            await asyncio.sleep(0.05)
        raise RuntimeError("the service did not answer again")

    async def hit(self) -> None:
        match self.options.fault:
            case "kill" | "restart":
                self.serving.clear()
                await self.service.stop(signal.SIGKILL if self.options.fault == "kill" else signal.SIGTERM)
                await self.service.start()
                await self.service_answers()
            case "livekit":
                await self.server.stop()
                await self.server.start()
                await asyncio.sleep(3.0)
            case "avatar":
                await self.avatar.stop(signal.SIGKILL)
                await self.avatar.start()
            case "stall":
                self.server.hit(signal.SIGSTOP)
                await asyncio.sleep(self.options.stall)
                self.server.hit(signal.SIGCONT)

    async def post(self, room: str, number: int, seconds: float) -> tuple[str, bool]:
        """Post a segment until it is accepted; return its id, and whether that took more than one try."""
        return await self._post(room, tones.segment(number, seconds), f"{room}-{number}")

    async def post_sound(self, room: str, body: bytes) -> str:
        """Post a WAV file until it is accepted; return the segment's id."""
        segment, _ = await self._post(room, body, str(uuid.uuid4()))
        return segment

    async def _post(self, room: str, body: bytes, key: str) -> tuple[str, bool]:
        headers = {"Content-Type": "audio/wav", "Idempotency-Key": key}
        tries = 0
        while True:
            tries += 1
            await self.serving.wait()
            try:
                answer = await self.client.post(f"/v1/rooms/{room}/segments", content=body, headers=headers)
                if answer.status_code in (200, 202):
                    return answer.json()["id"], tries > 1
                if answer.status_code not in (409, 429, 503):
                    raise RuntimeError(f"refused: {answer.status_code} {answer.text}")
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)

    async def ended(self, segment: str) -> dict[str, Any]:
        until = time.monotonic() + self.options.patience
        while time.monotonic() < until:
            with contextlib.suppress(httpx.TransportError):
                wanted: dict[str, str | int] = {"wait": "finished", "timeout": 20}
                answer = await self.client.get(f"/v1/segments/{segment}", params=wanted)
                if answer.is_success and answer.json()["finished_at"] is not None:
                    return dict(answer.json())
            await asyncio.sleep(0.2)
        return dict((await self.client.get(f"/v1/segments/{segment}")).json())


async def run(options: argparse.Namespace) -> Result:
    world = World(Scenario(**{each.name: getattr(options, each.name) for each in fields(Scenario)}))
    length = options.seconds
    async with world.running():
        recorders = {name: Recorder(world.livekit, name) for name in world.rooms}
        recording = [asyncio.create_task(recorder.run()) for recorder in recorders.values()]
        await asyncio.sleep(2.0)
        posted: dict[str, list[tuple[int, str, bool]]] = {name: [] for name in world.rooms}

        async def post_all(name: str) -> None:
            for number in range(options.segments):
                posted[name].append((number, *await world.post(name, number, length)))
                while len(posted[name]) > 40 and world.random.random() < 0.9:
                    await asyncio.sleep(length / 2)
                    break

        posting = asyncio.gather(*(post_all(name) for name in world.rooms))
        spoken = options.segments * length
        for index in range(options.faults):
            say(f"{options.fault} {index + 1} of {options.faults}")
            await asyncio.sleep(world.random.uniform(0.2, 1.8) * spoken / max(1, options.faults) / 1.5)
            await world.hit()
        await posting
        judged, out_of_order = [], 0
        ends = {segment: await world.ended(segment) for name in world.rooms for _, segment, _ in posted[name]}
        await asyncio.sleep(2.0)
        for task in recording:
            task.cancel()
        await asyncio.gather(*recording, return_exceptions=True)
        for name in world.rooms:
            runs = tones.heard(recorders[name].recording())
            first: dict[int, float] = {}
            for one in runs:
                first.setdefault(one.number, one.start)
            order = [first[number] for number, *_ in posted[name] if number in first]
            out_of_order += sum(later < earlier for earlier, later in itertools.pairwise(order))
            for number, segment, again in posted[name]:
                mine = [one for one in runs if one.number == number]
                end = ends[segment]
                judged.append(
                    Judged(
                        name,
                        number,
                        segment,
                        end["state"],
                        end["receipt"],
                        end["position"],
                        length,
                        sum(one.seconds for one in mine),
                        len(mine),
                        again,
                        end["ended_by"],
                        len(end["attempts"]),
                    )
                )
        if options.keep:
            for name in world.rooms:
                soundfile.write(options.keep / f"{name}.wav", recorders[name].recording(), tones.RATE)
    return Result(options.fault, options.faults, judged, out_of_order)


def say(text: str) -> None:
    print(f"\r{text:60}", end="", file=sys.stderr, flush=True)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fault", choices=FAULTS)
    parser.add_argument(
        "--avatar", choices=("ours", "stock"), default="ours", help="stock: livekit-agents' own receiver"
    )
    parser.add_argument("--rooms", type=int, default=5)
    parser.add_argument("--segments", type=int, default=200, help="of each room, at most 256 (200)")
    parser.add_argument("--seconds", type=float, default=0.6, help="that a segment lasts (0.6)")
    parser.add_argument("--faults", type=int, default=50, help="at random moments (50)")
    parser.add_argument("--stall", type=float, default=20.0, help="seconds of a stall (20)")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds that the last end is waited for (180)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the recordings and the logs")
    parser.add_argument("--json", type=Path, help="write every segment to this file")
    options = parser.parse_args()
    if options.segments > len(tones.PAIRS):
        parser.error(f"--segments: at most {len(tones.PAIRS)} can be told apart in a room")
    result = await run(options)
    say("")
    print("\r" + "\n".join(f"{name:44}{value}" for name, value in result.rows()))
    if options.json:
        options.json.write_text(json.dumps(asdict(result), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
