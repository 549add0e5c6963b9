"""Avatars that come and go: whether threads, descriptors and memory are back where they were.

::

    python bench/sessions.py [--sessions 500] [--warm-up 60] [--processes 2] [--json FILE]

Each session joins a room, speaks, and ends: every other one because its room is deleted in mid-speech, the others by
``DELETE /v1/sessions``. What the avatar server and the processes that it started hold is counted after the warm-up, and
again once the last one has ended and everything had time to close.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
from livekit import api, rtc

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import services  # noqa: E402

from mouthpiece import wire  # noqa: E402
from mouthpiece_sender.demo import livekit_server  # noqa: E402
from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402

RATE = 16_000
SETTLE = 5.0
"""Seconds after the last session."""
SPARE = {"threads": 24, "descriptors": 24, "megabytes": 60.0}
"""What each process may hold more at the end than after the warm-up, in which it was replaced once or is about to be:
LiveKit may have closed 20 rooms under it, or it may have run 50 sessions (``mouthpiece_avatar.processes.wear``)."""


@dataclass(frozen=True)
class Held:
    threads: int
    descriptors: int
    megabytes: float
    """Of their own: a face's views are a file that is mapped, and counts as it is looked at."""

    def over(self, before: Held, processes: int) -> list[str]:
        """Name what is more than it was before, by more than ``SPARE``."""
        return [
            name for name, spare in SPARE.items() if getattr(self, name) > getattr(before, name) + processes * spare
        ]


def held(server: psutil.Process) -> Held:
    family = [server, *server.children(recursive=True)]
    return Held(
        sum(each.num_threads() for each in family),
        sum(each.num_fds() for each in family),
        round(sum(each.memory_info().rss - each.memory_info().shared for each in family) / 1e6, 1),
    )


@contextlib.asynccontextmanager
async def avatar_server(
    livekit: LiveKit, processes: int, log: Path | None
) -> AsyncIterator[tuple[httpx.AsyncClient, psutil.Process]]:
    port = livekit_server.free_port()
    async with (
        services.process(
            *("-m", "mouthpiece_avatar", "--port", str(port)),
            log=log,
            LIVEKIT_URL=livekit.url,
            MOUTHPIECE_AVATAR_PROCESSES=str(processes),
        ) as running,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http,
    ):
        await services.answers(http, "/healthz")
        yield http, psutil.Process(running.pid)


def token(livekit: LiveKit, identity: str, room: str) -> str:
    return services.token(livekit, identity, room=room, **services.BEHALF)


def taken(started: asyncio.Event | None) -> Callable[[rtc.RpcInvocationData], str]:
    """Return what answers a receipt, and notes that it came."""

    def answer(_: rtc.RpcInvocationData) -> str:
        if started is not None:
            started.set()
        return "ok"

    return answer


async def one_session(http: httpx.AsyncClient, livekit: LiveKit, server: api.LiveKitAPI, number: int) -> None:
    room_name = f"sessions-{number}"
    asked = wire.StartAvatar(livekit.url, token(livekit, services.AVATAR, room_name), "any", "mia")
    answer = await http.post(wire.START_AVATAR_PATH, json=asdict(asked))
    answer.raise_for_status()
    sender = rtc.Room()
    await sender.connect(livekit.url, token(livekit, "sender-bench", room_name), rtc.RoomOptions(auto_subscribe=False))
    started = asyncio.Event()
    sender.local_participant.register_rpc_method(wire.RPC_PLAYBACK_STARTED, taken(started))
    sender.local_participant.register_rpc_method(wire.RPC_PLAYBACK_FINISHED, taken(None))
    presence = await sender.local_participant.publish_data_track(name="presence")
    writer = await sender.local_participant.stream_bytes(
        name="AUDIO_bench",
        topic=wire.AUDIO_STREAM_TOPIC,
        destination_identities=[services.AVATAR],
        attributes=wire.StreamHeader(RATE, 1).attributes(),
    )
    sound = 9_000 * np.sin(2 * np.pi * 440 * np.arange(5 * RATE) / RATE)
    await writer.write(sound.astype("<i2").tobytes())
    await writer.aclose()
    async with asyncio.timeout(30):
        await started.wait()
    del presence
    session_id = answer.json()["session_id"]
    if number % 2:
        await server.room.delete_room(api.DeleteRoomRequest(room=room_name))
    else:
        (await http.delete(f"/v1/sessions/{session_id}")).raise_for_status()
    await sender.disconnect()


async def until_none(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while (await http.get("/v1/sessions")).json()["sessions"]:
            await asyncio.sleep(0.2)


async def measure(sessions: int, warm_up: int, processes: int, log: Path | None) -> dict[str, object]:
    begun = time.monotonic()
    async with (
        services.server() as livekit,
        avatar_server(livekit, processes, log) as (http, running),
        api.LiveKitAPI(livekit.url.replace("ws", "http", 1), livekit.api_key, livekit.api_secret) as server,
    ):
        for number in range(warm_up):
            await one_session(http, livekit, server, number)
        await until_none(http)
        await asyncio.sleep(SETTLE)
        before = held(running)
        for number in range(warm_up, warm_up + sessions):
            await one_session(http, livekit, server, number)
            if number % 10 == 0:
                sys.stderr.write(f"\r{number - warm_up} of {sessions}: {held(running)}   ")
        await until_none(http)
        await asyncio.sleep(SETTLE)
        after = held(running)
        sys.stderr.write("\n")
    return {
        "sessions": sessions,
        "processes": processes,
        "seconds": round(time.monotonic() - begun),
        "before": asdict(before),
        "after": asdict(after),
        "more": after.over(before, processes),
    }


def main() -> int:
    """Measure, print; return the exit code: 1 if something is not back where it was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--warm-up", type=int, default=60)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    found = asyncio.run(measure(options.sessions, options.warm_up, options.processes, options.log))
    print(json.dumps(found))
    if options.json:
        options.json.write_text(json.dumps(found))
    return 1 if found["more"] else 0


if __name__ == "__main__":
    sys.exit(main())
