"""Damaged and slow files of one key at the service, while a viewer hears a sound of 84 s in another key's room.

::

    python bench/hostile_files.py mutated [--count 5000] [--seed 0] [--callers 4]
    python bench/hostile_files.py bombs

Starts livekit-server, the avatar and the sender with two keys, each in a process of its own, and joins as a viewer.
``mutated`` posts mutated sounds (``bench/abuse.py``) with the other key, one after the other for each caller, into a
room of that key in which an avatar says what can be played, each cut off by the next; 84 s of tone play in the first
key's room, again and again until all were posted. ``bombs`` posts 12 M4As of an hour and 6 files of four million empty
boxes at once, while the tone plays.

It counts the answers by status and problem, and the silences between loud frames in the viewer's recording; first of a
tone that plays alone, since a busy machine leaves holes by itself. It exits with 1 where an answer is neither an
acceptance nor a refusal with a reason or took more than a minute, where the service died, where a tone did not finish
with a confirmed receipt or has a silence of more than 20 ms that it had not alone, or where the memory of the service
grew by more than 50 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import struct
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import av
import httpx
import psutil

ROOT = Path(__file__).parent.parent
THIS = str(Path(__file__).resolve())
sys.path.insert(0, str(ROOT))

from bench import abuse, post_latency, services  # noqa: E402

from tests.live.viewer import Viewer, viewer_token  # noqa: E402
from tests.loopback.decode.making import chirp, write_with_av  # noqa: E402

OURS: Final = "the-key-of-the-victim"
THEIRS: Final = "the-key-of-the-attacker"
ROOM: Final = "attacker"
TONE: Final = 84.0
"""Seconds."""
SILENCE: Final = 0.02
"""Seconds without sound in a tone that count as a gap."""
LATEST: Final = 60.0
"""Seconds for an answer."""
MOST_MEMORY: Final = 50.0
"""Megabytes more than before."""
BOXES: Final = 4_000_000


@dataclass
class Answers:
    """What the attacker was answered."""

    statuses: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    """Seconds."""
    bad: int = 0
    """Neither accepted nor refused with a reason, or after ``LATEST``."""


async def run(what: str, options: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        settings = {"MOUTHPIECE_API_KEYS": f"{OURS}:{services.ROOM},{THEIRS}:{ROOM}"}
        log = Path(folder) / "log"
        async with (
            services.server() as livekit,
            services.avatar(livekit, MOUTHPIECE_AVATAR_SECRETS="bench") as avatar,
            services.service(livekit, log=log, settings=settings) as (client, sender),
            Viewer(livekit.url, viewer_token(livekit, services.ROOM), identity=services.AVATAR) as viewer,
        ):
            client.headers["Authorization"] = f"Bearer {OURS}"
            await services.start_avatar(livekit, abuse.port_of(avatar), ROOM, "avatar-two", avatar="noah")
            await viewer.ready()
            alone = await spoken(client, viewer)
            print(f"alone: {described(alone)} (load {os.getloadavg()[0]:.1f})", flush=True)
            before = sender.memory_info().rss
            heard: list[tuple[str, list[float]]] = []
            async with (
                services.process(THIS, "attack", what, str(client.base_url), *options) as attacking,
                abuse.most_memory(sender) as most,
            ):
                ended = asyncio.create_task(attacking.communicate())
                while not ended.done():
                    heard.append(await spoken(client, viewer))
                    print(f"meanwhile: {described(heard[-1])} (load {os.getloadavg()[0]:.1f})", flush=True)
                answers = json.loads((await ended)[0])
            grown = (max(most) - before) / 1e6
            print(f"the attacker was answered: {answers['statuses']}, the slowest after {answers['slowest']:.1f} s")
            print(f"memory of the service {grown:+.1f} MB; its log {log.stat().st_size / 1000:.1f} kB")
            bound = max([SILENCE, *alone[1]])
            gaps = [gap for _, silences in heard for gap in silences if gap > bound]
            whole = all(state == "finished confirmed" for state, _ in heard)
            alive = sender.is_running() and sender.status() != psutil.STATUS_ZOMBIE
            good = alive and whole and not gaps and not answers["bad"] and grown <= MOST_MEMORY
            bad = f"{len(gaps)} gaps, {answers['bad']} bad answers"
            print(f"{'good' if good else 'BAD'}: alive {alive}, whole {whole}, {bad}")
    return 0 if good else 1


async def spoken(client: httpx.AsyncClient, viewer: Viewer) -> tuple[str, list[float]]:
    """Say the tone; return how it ended, and the silences within it in seconds."""
    began = time.monotonic()
    asked: dict[str, str | int] = {"wait": "finished", "timeout": 120}
    answer = await client.post(
        f"{post_latency.ROOM}/segments", content=post_latency.sound(TONE), params=asked, timeout=150
    )
    answer.raise_for_status()
    await asyncio.sleep(0.5)
    segment = answer.json()
    loud = sum(sound.rms >= 300 for sound in viewer.sounds if sound.at >= began) / 100
    if loud < TONE - 0.5:
        return f"{segment['state']} {segment['receipt']}, {loud:.1f} s heard", viewer.gaps(began)
    return f"{segment['state']} {segment['receipt']}", viewer.gaps(began)


def described(heard: tuple[str, list[float]]) -> str:
    state, silences = heard
    return f"{state}; silences of {sorted(round(one, 2) for one in silences if one > SILENCE) or 'none'} s"


async def attack(what: str, base: str, count: int, seed: int, callers: int) -> int:
    answers = Answers()
    limits = httpx.Limits(max_connections=50)
    headers = {"Authorization": f"Bearer {THEIRS}"}
    with tempfile.TemporaryDirectory() as name:
        async with httpx.AsyncClient(
            base_url=base, headers=headers, timeout=LATEST, trust_env=False, limits=limits
        ) as client:
            if what == "mutated":
                chance = random.Random(seed)
                sounds = abuse.seeds(Path(name))

                async def caller(share: int) -> None:
                    for _ in range(share):
                        await post(client, abuse.mutated(chance.choice(sounds), chance), answers)

                await asyncio.gather(*(caller(count // callers) for _ in range(callers)))
            else:
                hour = await asyncio.to_thread(an_hour, Path(name))
                bomb = struct.pack(">I4s4sI", 16, b"ftyp", b"M4A ", 0) + struct.pack(">I4s", 8, b"free") * BOXES
                await asyncio.gather(*(post(client, body, answers) for body in [hour] * 12 + [bomb] * 6))
    print(json.dumps(vars(answers)))
    return 0


async def post(client: httpx.AsyncClient, body: bytes, answers: Answers) -> None:
    began = time.monotonic()
    try:
        answer = await client.post(f"/v1/rooms/{ROOM}/segments", content=body, params={"mode": "interrupt"})
        kind = "accepted" if answer.is_success else str(answer.json().get("type", "")).rpartition("/")[2]
        answers.statuses[f"{answer.status_code} {kind}"] += 1
        answers.bad += not kind or (answer.status_code >= 500 and answer.status_code != 503)
    except (httpx.HTTPError, ValueError) as error:
        answers.statuses[type(error).__name__] += 1
        answers.bad += 1
    answers.slowest = max(answers.slowest, time.monotonic() - began)


def an_hour(folder: Path) -> bytes:
    """An M4A of an hour: the packets of ten seconds, again and again."""
    write_with_av(folder / "short", "mp4", "aac", chirp(10, 16_000), 16_000)
    with av.open(str(folder / "short")) as short, av.open(str(folder / "hour"), "w", format="mp4") as hour:
        stream = hour.add_stream_from_template(short.streams.audio[0])
        payloads = [bytes(packet) for packet in short.demux() if packet.size]
        for number in range(3600 * 16_000 // 1024):
            packet = av.Packet(payloads[number % len(payloads)])
            packet.pts = packet.dts = 1024 * number
            packet.duration, packet.stream = 1024, stream
            hour.mux(packet)
    return (folder / "hour").read_bytes()


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="what", required=True)
    for name in ("mutated", "bombs", "attack"):
        kind = kinds.add_parser(name)
        if name == "attack":
            kind.add_argument("kind", choices=("mutated", "bombs"))
            kind.add_argument("base")
        kind.add_argument("--count", type=int, default=5000)
        kind.add_argument("--seed", type=int, default=0)
        kind.add_argument("--callers", type=int, default=4)
    options = parser.parse_args()
    given = (options.count, options.seed, options.callers)
    if options.what == "attack":
        return await attack(options.kind, options.base, *given)
    names = ("--count", "--seed", "--callers")
    return await run(options.what, [text for pair in zip(names, map(str, given), strict=True) for text in pair])


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(main()))
