"""Whether `duration`, the final `position` and what a viewer hears agree for files of every kind; beside it FFmpeg.

::

    python bench/formats.py [FILE …] [--rooms 2] [--every 1] [--json FILE]

Starts livekit-server, the avatar and the sender, each in a process of its own, and joins rooms as a viewer. Without
FILEs it posts the matrix of the tests (formats × rates × depths × layouts, as a file, from a pipe, joined and cut in
the middle; ``tests/loopback/decode/matrix.py``) and files as odd programs write them (``odd_writers.py``), one after
the other into each room; with ``--every 5`` each fifth of them.

A file that was accepted is right if it ``finished`` with a ``confirmed`` receipt, if its position and the length that
was recorded are within 0.1 s of its duration (the silence that an encoder put around the sound is taken from the
decoded file), if the recording is as loud as the decoded file within 1.5 dB, and if each 0.2 s of it correlates with it
by 0.9. A file that is not cut must be accepted, and one that was cut may be refused with a reason, or plays as much as
FFmpeg decodes. With FILEs a refusal counts as right.

The exit code is 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import httpx
import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import abuse, services  # noqa: E402

from mouthpiece.audio.decoders import Decoders  # noqa: E402
from mouthpiece.audio.pcm import Samples  # noqa: E402
from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402
from tests.live.recorded import Recorded, judge  # noqa: E402
from tests.live.viewer import Viewer, viewer_token  # noqa: E402
from tests.loopback.decode.matrix import FILES, by_ffmpeg, written  # noqa: E402
from tests.loopback.decode.odd_writers import LAYOUTS, WHOLE  # noqa: E402

WITHIN: Final = 0.1
"""Seconds."""
LEVEL: Final = 1.5
"""Decibels."""
ALIKE: Final = 0.9
QUIET: Final = 0.4
"""Seconds without sound after which a recording ends."""


@dataclass(frozen=True, slots=True)
class Given:
    """A file to be posted."""

    name: str
    content: bytes
    may_be_refused: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of it."""

    given: Given
    status: int
    answer: dict[str, object]
    recording: list[bytes]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; lengths in seconds."""

    name: str
    refused: str
    """Why; empty: it was accepted."""
    duration: float
    position: float
    heard: float
    level: float
    """Decibels over the decoded file."""
    likeness: float
    ffmpeg: float
    """What FFmpeg decodes; 0: nothing."""
    like_ffmpeg: float
    """The likeness of the recording with FFmpeg's own mix; 0: FFmpeg decodes nothing, or mixes it to silence."""
    wrong: str
    """What is not as it has to be; empty: nothing."""


def given_files(folder: Path) -> Iterator[Given]:
    for name, rate, channels, way in FILES:
        title = f"{name}, {rate} Hz, {channels} ch, {way}"
        yield Given(title, written(folder, name, rate, channels, way), way == "cut")
    for name, make in WHOLE.items():
        yield Given(name, make(folder))
    for name, (make, _) in LAYOUTS.items():
        yield Given(name, make(folder))


async def posted_in(livekit: LiveKit, room: str, client: httpx.AsyncClient, files: Sequence[Given]) -> list[Posted]:
    found = []
    async with Viewer(livekit.url, viewer_token(livekit, room), sound_only=True) as viewer:
        await viewer.ready()
        for number, given in enumerate(files):
            with viewer.record_sound() as recording:
                asked: dict[str, str | int] = {"wait": "finished", "timeout": 60}
                began = time.monotonic()
                answer = await client.post(f"/v1/rooms/{room}/segments", content=given.content, params=asked)
                if answer.is_success:
                    with contextlib.suppress(TimeoutError):
                        await viewer.onset(began, timeout=5)
                        await viewer.offset(began, QUIET)
                found.append(Posted(given, answer.status_code, answer.json(), recording))
            print(f"\r{room}: {number + 1} of {len(files)}{'':20}", end="", file=sys.stderr, flush=True)
    return found


async def row_of(posted: Posted, decoders: Decoders, path: Path) -> Row:
    given, answer = posted.given, posted.answer
    await asyncio.to_thread(path.write_bytes, given.content)
    ffmpeg = await asyncio.to_thread(by_ffmpeg, path)
    by_it = ffmpeg.seconds if ffmpeg else 0.0
    if posted.status >= 400:
        reason = str(answer.get("detail", ""))
        wrong = "" if given.may_be_refused and reason else "refused" if reason else "refused without a reason"
        return Row(given.name, reason or str(posted.status), 0.0, 0.0, 0.0, 0.0, 0.0, by_it, 0.0, wrong)
    info = await decoders.probe(path)
    async with decoders.open(path, info) as blocks:
        decoded: Samples = np.concatenate([block.samples async for block in blocks])
    heard = judge(posted.recording, decoded, info.sample_rate)
    like_ffmpeg = judge(posted.recording, ffmpeg.samples, ffmpeg.rate) if ffmpeg else None
    audio = answer["audio"]
    assert isinstance(audio, dict)
    duration, position = float(audio["duration"]), float(str(answer["position"]))
    return Row(
        given.name,
        "",
        duration,
        position,
        duration + heard.longer if heard else 0.0,
        heard.level if heard else 0.0,
        heard.likeness if heard else 0.0,
        by_it,
        like_ffmpeg.likeness if like_ffmpeg else 0.0,
        ", ".join(faults(answer, duration, position, heard, by_it if given.may_be_refused else None)),
    )


def faults(
    answer: dict[str, object], duration: float, position: float, heard: Recorded | None, cut: float | None
) -> Iterator[str]:
    """What is wrong with a file that was accepted.

    :param cut: the seconds that FFmpeg decodes of a file that was cut; None: it was not.
    """
    if (answer["state"], answer["receipt"]) != ("finished", "confirmed"):
        yield f"{answer['state']} {answer['receipt']}"
    if abs(position - duration) > WITHIN:
        yield "position"
    if cut is not None and abs(cut - duration) > WITHIN:
        yield "another length than FFmpeg's"
    if heard is None:
        yield "not heard"
        return
    if abs(heard.longer) > WITHIN:
        yield "length"
    if abs(heard.level) > LEVEL:
        yield "level"
    if heard.likeness < ALIKE:
        yield "likeness"


def table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| File | duration | position | heard | dB | likeness | FFmpeg | likeness to FFmpeg's | |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        if row.refused:
            yield f"| {row.name} | refused: {row.refused} | | | | | {row.ffmpeg:.2f} | | {row.wrong} |"
            continue
        lengths = " | ".join(f"{seconds:.2f}" for seconds in (row.duration, row.position, row.heard))
        theirs = f"{row.ffmpeg:.2f} | {row.like_ffmpeg:.2f}" if row.ffmpeg else "nothing |"
        yield f"| {row.name} | {lengths} | {row.level:+.1f} | {row.likeness:.2f} | {theirs} | {row.wrong} |"


def summary(rows: Sequence[Row]) -> str:
    said = [row for row in rows if not row.refused]
    wrong = sum(bool(row.wrong) for row in rows)
    text = f"{len(rows)} files: {len(said)} said, {len(rows) - len(said)} refused; wrong: {wrong}"
    if not said:
        return text
    off = max(max(abs(row.position - row.duration), abs(row.heard - row.duration)) for row in said)
    levels = [row.level for row in said]
    other = sum(abs(row.ffmpeg - row.duration) > WITHIN for row in said)
    return (
        f"{text}; lengths at most {off:.3f} s apart; level {min(levels):+.1f} to {max(levels):+.1f} dB; likeness at "
        f"least {min(row.likeness for row in said):.2f}; FFmpeg makes another length of {other}"
    )


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--rooms", type=int, default=2, help="that are spoken into at once (2)")
    parser.add_argument("--every", type=int, default=1, help="post each so manieth file of the matrix (1)")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.files:
            files = [Given(str(file), file.read_bytes(), True) for file in options.files]
        else:
            files = (await asyncio.to_thread(lambda: list(given_files(folder))))[:: options.every]
        rooms = [services.ROOM, *(f"formats-{number}" for number in range(1, options.rooms))]
        async with AsyncExitStack() as stack:
            livekit = await stack.enter_async_context(services.server())
            avatar = await stack.enter_async_context(services.avatar(livekit, MOUTHPIECE_AVATAR_SECRETS="bench"))
            client, _ = await stack.enter_async_context(services.service(livekit))
            client.timeout = 90
            for room in rooms[1:]:
                await services.start_avatar(livekit, abuse.port_of(avatar), room, f"avatar-{room}")
            shares = [files[number :: len(rooms)] for number in range(len(rooms))]
            posted = await asyncio.gather(
                *(posted_in(livekit, room, client, share) for room, share in zip(rooms, shares, strict=True))
            )
        async with Decoders() as decoders:
            found = [await row_of(one, decoders, folder / "given") for share in posted for one in share]
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    order = {given.name: place for place, given in enumerate(files)}
    rows = sorted(found, key=lambda row: order[row.name])
    for line in table(rows):
        print(line)
    print(f"\n{summary(rows)}; {time.monotonic() - began:.0f} s (load {os.getloadavg()[0]:.1f})")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2))
    return 1 if any(row.wrong for row in rows) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
