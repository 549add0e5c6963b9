"""What a talking picture takes of a core, watched and not, beside livekit-agents' runner showing the same pictures.

::

    python bench/avatar_load.py [one] [together] [bare] [many] [--seconds 20] [--rounds 3] [--most 16] [--json FILE]

- one: one avatar at 512 by 512 in a process of its own, in turns ours and livekit-agents' ``AvatarRunner``, which shows
  our pictures, drawn by our code, and then two pictures that are made once. Processor time of the avatar's process
  while nobody has subscribed yet, while somebody is subscribed and it is idle or speaks, and once nobody is any more;
  from a subscription to its first picture. Beside them a program that publishes silence and no pictures with the same
  SDK (``bench/bare_tracks.py``).
- together: ours and the runner with the same pictures at the same time, each in a room of its own, so that a machine
  that is busy with other work is so for both: processor time while they are watched and idle, and while they speak.
- bare: nobody has subscribed to pictures, all at the same time: ours, and the SDK alone (``bench/bare_tracks.py``) with
  silence, with tracks that get nothing, and without tracks.
- many: speaking avatars on all cores, two more at a time up to ``--most``, until one of them does not reach its viewer
  at 25 pictures a second. The viewers decode on the same cores, as does livekit-server: an avatar's machine holds more.

Without a name all. The exit code is 1 if ours takes more than the runner with the same pictures while it speaks, more
than ``UNWATCHED`` percent of a core with nobody subscribed, or over ``FIRST`` ms to the first picture.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import psutil
from livekit import rtc

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import services  # noqa: E402
from bench.latency import SENDER, Sender, Start, awake, busy, stock, tone  # noqa: E402

from mouthpiece_sender.demo import livekit_server  # noqa: E402
from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402
from tests.live.viewer import Viewer, viewer_token  # noqa: E402

UNWATCHED: Final = 2.0
"""Percent of a core."""
FIRST: Final = 100.0
"""Milliseconds from a subscription to the first picture."""
SUBSCRIPTIONS: Final = 7
"""A round."""
FORGOTTEN: Final = 8.0
"""Seconds until LiveKit has told a publisher that nobody is subscribed any more."""
AT_A_TIME: Final = 2
"""Avatars that are added."""
HOLDS: Final = 24.9
"""Pictures a second of an avatar that reaches its viewer at 25."""

BARE: Final = {"silence": "silence", "tracks that get nothing": "nothing", "no tracks": "joined"}

STARTS: Final[Mapping[str, Start]] = {
    "ours": services.avatar,
    "stock, our pictures": partial(stock, pictures="face"),
    "stock, two pictures": partial(stock, pictures="flash"),
}


@dataclass
class Load:
    """Percent of a core, a figure a round."""

    unseen: list[float] = field(default_factory=list)
    """Nobody has subscribed yet."""
    idle: list[float] = field(default_factory=list)
    speaking: list[float] = field(default_factory=list)
    unwatched: list[float] = field(default_factory=list)
    """Nobody is subscribed any more."""
    first_picture: list[float] = field(default_factory=list)
    """Milliseconds from a subscription on."""


async def used(avatar: psutil.Process, seconds: float) -> float:
    """Return the percent of a core that it takes in the next ``seconds``."""
    began, before = time.monotonic(), busy(avatar)
    await asyncio.sleep(seconds)
    return 100 * (busy(avatar) - before) / (time.monotonic() - began)


def pictures_of(room: rtc.Room) -> rtc.RemoteTrackPublication:
    """Return the video publication of the avatar.

    :raises LookupError: there is none yet.
    """
    for participant in room.remote_participants.values():
        for publication in participant.track_publications.values():
            if publication.kind == rtc.TrackKind.KIND_VIDEO:
                return publication
    raise LookupError("the avatar has published no pictures yet")


async def measure(livekit: LiveKit, start: Start, seconds: float, load: Load) -> None:
    """One round of one avatar."""
    async with start(livekit) as avatar:
        room = rtc.Room()
        await room.connect(livekit.url, services.token(livekit, SENDER), rtc.RoomOptions(auto_subscribe=False))
        announced = await room.local_participant.publish_data_track(name="presence")
        sender = Sender(room)
        token = viewer_token(livekit, services.ROOM)
        try:
            async with Viewer(livekit.url, token, identity=services.AVATAR, sound_only=True) as viewer:
                await awake(sender, viewer)
                await asyncio.sleep(3)
                load.unseen.append(await used(avatar, seconds))
                publication = pictures_of(viewer.room)
                for _ in range(SUBSCRIPTIONS):
                    load.first_picture.append(1000 * await first_picture(viewer, publication))
                    publication.set_subscribed(False)
                    await asyncio.sleep(FORGOTTEN)
                load.unwatched.append(await used(avatar, seconds))
                await first_picture(viewer, publication)
                await asyncio.sleep(2)
                load.idle.append(await used(avatar, seconds))
                saying = asyncio.create_task(sender.say(tone(seconds + 4)))
                await asyncio.sleep(1)
                load.speaking.append(await used(avatar, seconds))
                await saying
        finally:
            del announced
            await room.disconnect()


async def first_picture(viewer: Viewer, publication: rtc.RemoteTrackPublication) -> float:
    """Subscribe; return the seconds until a picture came."""
    seen, before = len(viewer.pictures), time.monotonic()
    publication.set_subscribed(True)
    await viewer.until(lambda: len(viewer.pictures) > seen, 10)
    return viewer.pictures[seen].at - before


async def one(
    options: argparse.Namespace, say: Callable[[str], None]
) -> tuple[dict[str, Load], list[float], list[str]]:
    loads, alone = {name: Load() for name in STARTS}, []
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}: the SDK alone")
        async with services.server() as livekit:
            alone.append(await bare(livekit, options.seconds))
        for name, start in STARTS.items():
            say(f"round {number + 1} of {options.rounds}: {name}")
            async with services.server() as livekit:
                await measure(livekit, start, options.seconds, loads[name])
    ours, same = loads["ours"], loads["stock, our pictures"]
    wrong = []
    if statistics.median(ours.speaking) > statistics.median(same.speaking):
        wrong.append("speaking, ours takes more than livekit-agents' runner with the same pictures")
    if max(*ours.unseen, *ours.unwatched) > UNWATCHED:
        wrong.append(f"with nobody subscribed ours takes more than {UNWATCHED} %")
    if statistics.median(ours.first_picture) > FIRST:
        wrong.append(f"the first picture comes later than {FIRST:g} ms after a subscription")
    return loads, alone, wrong


async def bare(livekit: LiveKit, seconds: float) -> float:
    """Return the percent of a core that the SDK takes to send silence to a listener."""
    secret = services.token(livekit, services.AVATAR)
    program = str(ROOT / "bench/bare_tracks.py")
    async with (
        services.process(program, livekit.url, TOKEN=secret) as running,
        Viewer(livekit.url, viewer_token(livekit, services.ROOM), identity=services.AVATAR, sound_only=True) as viewer,
    ):
        await viewer.ready()
        await asyncio.sleep(FORGOTTEN)
        return await used(psutil.Process(running.pid), seconds)


async def unseen(options: argparse.Namespace) -> dict[str, float]:
    """Return the percent of a core that ours takes with nobody subscribed to its pictures, and the SDK alone."""
    async with AsyncExitStack() as stack:
        running = {}
        for name, what in (("ours", ""), *BARE.items()):
            livekit = await stack.enter_async_context(services.server())
            if what:
                program, secret = str(ROOT / "bench/bare_tracks.py"), services.token(livekit, services.AVATAR)
                process = await stack.enter_async_context(services.process(program, livekit.url, what, TOKEN=secret))
                running[name] = psutil.Process(process.pid)
            else:
                running[name] = await stack.enter_async_context(services.avatar(livekit))
            token = viewer_token(livekit, services.ROOM)
            listener = Viewer(livekit.url, token, identity=services.AVATAR, sound_only=True)
            await stack.enter_async_context(listener)
        await asyncio.sleep(FORGOTTEN)
        taken = await asyncio.gather(*(used(each, options.seconds) for each in running.values()))
        return dict(zip(running, taken, strict=True))


async def watched(stack: AsyncExitStack, start: Start) -> tuple[psutil.Process, Sender]:
    """Start an avatar that somebody looks at; return its process and one who speaks through it."""
    livekit = await stack.enter_async_context(services.server())
    avatar = await stack.enter_async_context(start(livekit))
    room = rtc.Room()
    await room.connect(livekit.url, services.token(livekit, SENDER), rtc.RoomOptions(auto_subscribe=False))
    stack.push_async_callback(room.disconnect)
    announced = await room.local_participant.publish_data_track(name="presence")
    stack.callback(lambda: announced)
    sender = Sender(room)
    viewer = Viewer(livekit.url, viewer_token(livekit, services.ROOM), identity=services.AVATAR)
    await awake(sender, await stack.enter_async_context(viewer))
    return avatar, sender


async def together(options: argparse.Namespace, say: Callable[[str], None]) -> tuple[dict[str, Load], list[str]]:
    names = ("ours", "stock, our pictures")
    loads = {name: Load() for name in names}
    async with AsyncExitStack() as stack:
        pairs = [await watched(stack, STARTS[name]) for name in names]
        await asyncio.sleep(2)
        for number in range(options.rounds):
            say(f"together: round {number + 1} of {options.rounds}")
            idle = await asyncio.gather(*(used(avatar, options.seconds) for avatar, _ in pairs))
            saying = [asyncio.create_task(sender.say(tone(options.seconds + 4))) for _, sender in pairs]
            await asyncio.sleep(1.5)
            speaking = await asyncio.gather(*(used(avatar, options.seconds) for avatar, _ in pairs))
            await asyncio.gather(*saying)
            for name, quiet, loud in zip(names, idle, speaking, strict=True):
                loads[name].idle.append(quiet)
                loads[name].speaking.append(loud)
            await asyncio.sleep(1)
    ours, same = (loads[name].speaking for name in names)
    more = statistics.median(one / other for one, other in zip(ours, same, strict=True)) > 1
    return loads, ["speaking beside it, ours takes more than livekit-agents' runner"] if more else []


@contextlib.asynccontextmanager
async def server_of_many(livekit: LiveKit) -> AsyncIterator[int]:
    """Run the avatar server with a process a core; yield its port."""
    port = livekit_server.free_port()
    command = ("-m", "mouthpiece_avatar", "--port", str(port))
    async with (
        services.process(*command, LIVEKIT_URL=livekit.url),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http,
    ):
        await services.answers(http, "/healthz")
        yield port


async def many(options: argparse.Namespace, say: Callable[[str], None]) -> list[tuple[int, float]]:
    """Return, for each number of speaking avatars, the pictures a second of the slowest one at its viewer."""
    rates: list[tuple[int, float]] = []
    async with AsyncExitStack() as stack:
        livekit = await stack.enter_async_context(services.server())
        port = await stack.enter_async_context(server_of_many(livekit))
        viewers: list[Viewer] = []
        senders: list[Sender] = []
        while len(viewers) < options.most:
            for _ in range(AT_A_TIME):
                await add(stack, livekit, port, f"bench-{len(viewers)}", viewers, senders)
            say(f"{len(viewers)} speak")
            saying = [asyncio.create_task(sender.say(tone(options.seconds + 4))) for sender in senders]
            await asyncio.sleep(3)
            began = time.monotonic()
            await asyncio.sleep(options.seconds)
            rates.append((len(viewers), min(viewer.fps(began, time.monotonic()) for viewer in viewers)))
            await asyncio.gather(*saying)
            if rates[-1][1] < HOLDS:
                break
    return rates


async def add(
    stack: AsyncExitStack,
    livekit: LiveKit,
    port: int,
    room: str,
    viewers: list[Viewer],
    senders: list[Sender],
) -> None:
    """Start one more avatar, in a room of its own, with a viewer and a sender."""
    await services.start_avatar(livekit, port, room)
    joined = rtc.Room()
    token = services.token(livekit, SENDER, room=room)
    await joined.connect(livekit.url, token, rtc.RoomOptions(auto_subscribe=False))
    stack.push_async_callback(joined.disconnect)
    senders.append(Sender(joined))
    viewer = Viewer(livekit.url, viewer_token(livekit, room), identity=services.AVATAR)
    viewers.append(await stack.enter_async_context(viewer))
    await viewer.ready()


def table(loads: Mapping[str, Load]) -> str:
    rows: list[tuple[str, Callable[[Load], list[float]], int]] = [
        ("nobody has subscribed yet, % of a core", lambda load: load.unseen, 1),
        ("nobody is subscribed any more", lambda load: load.unwatched, 1),
        ("watched, idle", lambda load: load.idle, 1),
        ("watched, speaking", lambda load: load.speaking, 1),
        ("first picture after a subscription, ms", lambda load: load.first_picture, 0),
    ]
    lines = [f"{'':42}" + "".join(f"{name:>24}" for name in loads)]
    for title, of, digits in rows:
        shown = (
            f"{statistics.median(of(load)):.{digits}f} ({min(of(load)):.{digits}f} to {max(of(load)):.{digits}f})"
            for load in loads.values()
        )
        lines.append(f"{title:42}" + "".join(f"{text:>24}" for text in shown))
    return "\n".join(lines)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what", nargs="*", choices=("one", "together", "bare", "many", []), help="what is measured (all)"
    )
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement (20)")
    parser.add_argument("--rounds", type=int, default=3, help="of all but many (3)")
    parser.add_argument("--most", type=int, default=16, help="avatars of many (16)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    what = options.what or ["one", "together", "bare", "many"]
    found: dict[str, object] = {}
    wrong: list[str] = []

    def say(text: str) -> None:
        print(f"\r{text:70}", end="", file=sys.stderr, flush=True)

    if "one" in what:
        loads, alone, wrong = await one(options, say)
        say("\r")
        print(table(loads))
        print(f"silence alone and no pictures, by the same SDK: {statistics.median(alone):.1f} % of a core")
        found["one"] = {name: asdict(load) for name, load in loads.items()} | {"bare": alone}
    if "together" in what:
        beside, more = await together(options, say)
        say("\r")
        for name, load in beside.items():
            idle, speaking = (", ".join(f"{value:.1f}" for value in values) for values in (load.idle, load.speaking))
            print(f"at once, % of a core: {name}: idle {idle}; speaking {speaking}")
        wrong += more
        found["together"] = {name: asdict(load) for name, load in beside.items()}
    if "bare" in what:
        say("bare")
        rounds = [await unseen(options) for _ in range(options.rounds)]
        say("\r")
        for name in rounds[0]:
            print(f"nobody looks, % of a core: {name}: {', '.join(f'{each[name]:.1f}' for each in rounds)}")
        found["bare"] = rounds
    if "many" in what:
        rates = await many(options, say)
        say("\r")
        for count, rate in rates:
            print(f"{count:3} speaking on {psutil.cpu_count()} cores: the slowest has {rate:.2f} pictures a second")
        found["many"] = rates
    print("; ".join(wrong) or "passed")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
