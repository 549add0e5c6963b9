"""What somebody hostile does to others: damaged files at the decoders, and floods at both services.

::

    python bench/abuse.py files [--count 5000] [--seed 0]
    python bench/abuse.py floods [--trials 6] [--only silent]

``files`` mutates small sounds of every format, and has them probed and decoded by one caller, while a sound of 84 s of
another one is read at the pace at which it would play. It counts refusals, blamed crashes and hangs, what the memory of
this process and of its largest decoder grew by, and how late a block of the other sound came: one that comes more than
a second late would have been a gap (the sender is up to 2 s ahead). Run it again with another ``--seed`` for other
files. It exits with 1 where a file hung, a block came late, or memory grew by more than 50 MB after the first 1,000
files.

``floods`` starts livekit-server, the avatar (with a secret) and the sender, each in a process of its own, joins as a
viewer, and measures from a ``POST`` to the first sound, first quiet, then under each attack, which runs in a process
of its own: ``silent`` 1,700 connections without a word, ``uploads`` 400 stalled ones, ``start-avatar`` 600 MB there
without a secret, ``parts`` forms of 580,000 parts, ``keys`` JSON of 180,000 keys, ``viewer`` a participant of the room
that sends data, calls and byte streams to everybody there as fast as it can, ``viewer-avatar`` one that sends them to
the avatar alone. Memory is that of the service that is attacked (the avatar where the name says so), in MB more than
before; the log is what it wrote, for a minute. It exits with 1 where the first sound takes more than twice its quiet
time, memory grows by more than 50 MB, or the log by more than 100 kB a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import psutil
import soundfile
from livekit import rtc

ROOT = Path(__file__).parent.parent
THIS = str(Path(__file__).resolve())
sys.path.insert(0, str(ROOT))

from bench import latency, post_latency, services  # noqa: E402

from mouthpiece import wire  # noqa: E402
from mouthpiece.audio.decoders import Decoders  # noqa: E402
from mouthpiece.errors import AudioError, DecodersBusy  # noqa: E402
from tests.live.viewer import Viewer, viewer_token  # noqa: E402
from tests.loopback.decode.making import chirp, write_with_av  # noqa: E402

ATTACKS: Final = ("silent", "uploads", "start-avatar", "parts", "keys", "viewer", "viewer-avatar")
AT_AVATAR: Final = ("start-avatar", "viewer-avatar")
QUEUE: Final = f"/v1/rooms/{services.ROOM}-attacked/segments"
WARM: Final = 1_000
"""Files after which all decoder processes run: what memory grows by counts from there."""
MOST_MEMORY: Final = 50.0
"""Megabytes more than before."""
HANG: Final = 12.5
"""Seconds: longer than the bound of a request."""


def seeds(folder: Path) -> list[bytes]:
    """A short sound in each format."""
    samples, rate = chirp(0.4, 16_000), 16_000
    for kind, subtype in (("wav", "PCM_16"), ("flac", "PCM_16"), ("ogg", "VORBIS"), ("mp3", None), ("aiff", "PCM_16")):
        soundfile.write(folder / f"a.{kind}", samples, rate, subtype=subtype)
    write_with_av(folder / "a.m4a", "mp4", "aac", samples, rate)
    write_with_av(folder / "a.aac", "adts", "aac", samples, rate)
    write_with_av(folder / "a.webm", "webm", "libopus", chirp(0.4, 48_000), 48_000)
    return [file.read_bytes() for file in sorted(folder.iterdir())]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """``content`` with bytes changed, cut out, doubled or cut off, most of them near its start, where headers are."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = (
            min(int(chance.expovariate(1 / 200)), len(data) - 1)
            if chance.random() < 0.7
            else chance.randrange(len(data))
        )
        match chance.randrange(6):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + 4] = chance.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\x01")
                )
            case 2:
                del data[at : at + chance.randrange(1, 64)]
            case 3:
                data[at:at] = data[at : at + chance.randrange(1, 64)]
            case 4:
                data[at : at + 8] = chance.randbytes(8)
            case 5:
                del data[max(at, 16) :]
        if not data:
            return b"\0"
    return bytes(data)


async def played(decoders: Decoders, path: Path) -> list[float]:
    """Read the sound as it would play; return how late each block came, in seconds."""
    late: list[float] = []
    info = await decoders.probe(path, "somebody else")
    async with decoders.open(path, info) as blocks:
        began, ready = time.monotonic(), 0.0
        async for block in blocks:
            late.append(time.monotonic() - began - max(0.0, ready - 1.0))
            ready += block.duration
            await asyncio.sleep(max(0.0, ready - 1.0 - (time.monotonic() - began)))
    return late


async def files(count: int, seed: int) -> int:
    chance, outcomes, slowest = random.Random(seed), Counter[str](), 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "seeds").mkdir()
        sounds = seeds(folder / "seeds")
        soundfile.write(folder / "long.wav", chirp(84, 16_000), 16_000)
        async with Decoders() as decoders:
            await decoders.probe(folder / "long.wav")
            playing = asyncio.create_task(played(decoders, folder / "long.wav"))
            before, most, done = 0.0, 0.0, 0
            while done < count or not playing.done():
                path = folder / f"{done}"
                path.write_bytes(mutated(chance.choice(sounds), chance))
                began = time.monotonic()
                outcomes[await outcome(decoders, path)] += 1
                slowest = max(slowest, time.monotonic() - began)
                path.unlink()
                done += 1
                if done == WARM:
                    before = memory()
                if done % 100 == 0 and done >= WARM:
                    most = max(most, memory() - before)
                    post_latency.say(f"{done} of {count}")
            late = await playing
    print(f"\n{done} files, seed {seed}: {dict(outcomes.most_common())}")
    print(f"slowest {slowest:.2f} s; memory at most {most:+.1f} MB (this process and its largest decoder)")
    starved = sum(one > 1 for one in late)
    print(f"the other sound: {len(late)} blocks, the latest {1000 * max(late):.0f} ms late, {starved} starved")
    return 1 if outcomes["hung"] or starved or most > MOST_MEMORY else 0


async def outcome(decoders: Decoders, path: Path) -> str:
    try:
        async with asyncio.timeout(2 * HANG):
            info = await decoders.probe(path, "hostile")
            async with decoders.open(path, info) as blocks:
                async for _ in blocks:
                    pass
    except DecodersBusy:
        return "busy"
    except AudioError as error:
        return "crashed its decoder" if "crashed or got stuck" in str(error) else f"refused as {error.slug}"
    except TimeoutError:
        return "hung"
    return "played"


def memory() -> float:
    """Megabytes of this process and of its largest decoder: how many decoders run depends on what else the machine
    does."""
    sizes = [0]
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            sizes.append(process.memory_info().rss)
    return (psutil.Process().memory_info().rss + max(sizes)) / 1e6


async def floods(trials: int, only: str | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        logs = {name: Path(folder) / name for name in ("sender", "avatar")}
        async with (
            services.server() as livekit,
            services.avatar(livekit, log=logs["avatar"], MOUTHPIECE_AVATAR_SECRETS="bench") as avatar,
            services.service(livekit, log=logs["sender"]) as (client, sender),
            Viewer(livekit.url, viewer_token(livekit, services.ROOM), identity=services.AVATAR) as viewer,
        ):
            await viewer.ready()
            await first_sounds(client, viewer, 2)
            quiet, good = await first_sounds(client, viewer, trials), True
            print(f"{'quiet':14} first sound {latency.spread(quiet)} ms")
            for attack in ATTACKS:
                if only not in (None, attack):
                    continue
                at = avatar if attack in AT_AVATAR else sender
                log = logs["avatar" if attack in AT_AVATAR else "sender"]
                base = f"http://127.0.0.1:{port_of(at)}"
                if attack.startswith("viewer"):
                    target = f"#{services.AVATAR}" if attack == "viewer-avatar" else ""
                    base = f"{livekit.url}#{viewer_token(livekit, services.ROOM)}{target}"
                before, written, began = at.memory_info().rss, log.stat().st_size, time.monotonic()
                async with (
                    services.process(THIS, "attack", attack, base),
                    most_memory(at) as most,
                ):
                    await asyncio.sleep(3)
                    heard = await first_sounds(client, viewer, trials)
                minute = (log.stat().st_size - written) / (time.monotonic() - began) * 60 / 1000
                ratio = statistics.median(heard) / statistics.median(quiet)
                grown = (max(most) - before) / 1e6
                good &= ratio <= 2 and grown <= MOST_MEMORY and minute <= 100
                print(
                    f"{attack:14} first sound {latency.spread(heard)} ms, {ratio:.2f} times the quiet one; memory "
                    f"{grown:+.1f} MB; log {minute:.1f} kB a minute",
                    flush=True,
                )
    return 0 if good else 1


async def first_sounds(client: httpx.AsyncClient, viewer: Viewer, trials: int) -> list[float]:
    body, heard = post_latency.sound(1.0), []
    for _ in range(trials):
        await asyncio.sleep(0.5 + random.random() * 0.3)
        before = time.monotonic()
        async with httpx.AsyncClient(base_url=client.base_url, trust_env=False, timeout=30) as fresh:
            (await fresh.post(f"{post_latency.ROOM}/segments", content=body)).raise_for_status()
        heard.append(1000 * (await viewer.onset(before) - before))
        await viewer.offset(before)
    return heard


def port_of(process: psutil.Process) -> int:
    """The port that a service was told to listen on; WebRTC listens on others in the same process."""
    line = process.cmdline()
    return int(line[line.index("--port") + 1])


@contextlib.asynccontextmanager
async def most_memory(process: psutil.Process) -> AsyncIterator[list[int]]:
    seen = [process.memory_info().rss]

    async def watch() -> None:
        while True:
            seen.append(process.memory_info().rss)
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watching.cancel()


async def attack(kind: str, base: str) -> int:
    """Attack until it is killed."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    if kind.startswith("viewer"):
        os.nice(10)  # a viewer's processor is another one than that of the services
        await from_within(*base.split("#"))
    address = httpx.URL(base)
    head = f"POST {QUEUE} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if kind in ("silent", "uploads"):
        sent = (
            b"" if kind == "silent" else f"{head}Content-Length: 50000000\r\n\r\n".encode() + b"RIFF" + bytes(100_000)
        )
        async with asyncio.TaskGroup() as tasks:
            for _ in range(1700 if kind == "silent" else 400):
                tasks.create_task(held_open(address, sent))
    many = 4 if kind in ("parts", "keys") else 2
    while True:
        await asyncio.gather(*(posted(kind, address) for _ in range(many)))


async def from_within(url: str, token: str, *only: str) -> None:
    """What a participant of the room can send, each as fast as it goes: data to all, calls and byte streams to each
    other one; or all of it to ``only``. It subscribes to no track: decoding pictures is work for this machine, and no
    attack."""
    room = rtc.Room()
    await room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
    me = room.local_participant

    async def data() -> None:
        while True:
            await me.publish_data(bytes(10_000), topic=wire.AUDIO_STREAM_TOPIC, destination_identities=[*only])

    async def calls() -> None:
        while True:
            for one in only or list(room.remote_participants):
                with contextlib.suppress(rtc.RpcError, TimeoutError):
                    async with asyncio.timeout(1):
                        await me.perform_rpc(destination_identity=one, method=wire.RPC_CLEAR_BUFFER, payload="{" * 1000)

    async def streams() -> None:
        while True:
            for one in only or list(room.remote_participants):
                writer = await me.stream_bytes("x", topic=wire.AUDIO_STREAM_TOPIC, destination_identities=[one])
                await writer.write(bytes(100_000))
                await writer.aclose()

    async with asyncio.TaskGroup() as tasks:
        for sends in (data, calls, streams):
            tasks.create_task(sends())


async def held_open(address: httpx.URL, sent: bytes) -> None:
    """Keep one connection open, and open it again ten seconds after it was closed."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(sent)
            await reader.read()
            writer.close()
        await asyncio.sleep(10)


async def posted(kind: str, address: httpx.URL) -> None:
    path, fields, piece, count = body_of(kind)
    length = len(piece) * count
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n{fields}\r\n"
    with contextlib.suppress(OSError, TimeoutError):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(head.encode())
        async with asyncio.timeout(10):
            for _ in range(count):
                writer.write(piece)
                await writer.drain()
            await reader.read(100)
        writer.transport.abort()
    await asyncio.sleep(0.1)


def body_of(kind: str) -> tuple[str, str, bytes, int]:
    """Path, further header lines, and a piece of the body with the number of times that it comes."""
    match kind:
        case "start-avatar":
            return wire.START_AVATAR_PATH, "Content-Type: application/json\r\n", bytes(1_000_000), 600
        case "parts":
            parts = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' * 5800
            return QUEUE, "Content-Type: multipart/form-data; boundary=b\r\n", parts, 100
    keys = ",".join(f'"k{number}":1' for number in range(180_000))
    return QUEUE, "Content-Type: application/json\r\n", f'{{"text": "x",{keys}}}'.encode(), 1


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="what", required=True)
    damaged = kinds.add_parser("files")
    damaged.add_argument("--count", type=int, default=5000)
    damaged.add_argument("--seed", type=int, default=0)
    flooding = kinds.add_parser("floods")
    flooding.add_argument("--trials", type=int, default=6)
    flooding.add_argument("--only", choices=ATTACKS)
    attacking = kinds.add_parser("attack")
    attacking.add_argument("kind", choices=ATTACKS)
    attacking.add_argument("base")
    options = parser.parse_args()
    match options.what:
        case "files":
            return await files(options.count, options.seed)
        case "floods":
            return await floods(options.trials, options.only)
    return await attack(options.kind, options.base)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
