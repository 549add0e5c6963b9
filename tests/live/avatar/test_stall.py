"""LiveKit stops in mid-speech and goes on: what left meanwhile is said again, and what is reported was heard.

A server that was stopped for long passes on an unknown part of what lay in its socket: up to as much as was taken back
may be heard twice. After a short stop its receiver report says how much that was.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from mouthpiece import wire
from mouthpiece_avatar.acknowledgements import SHORT
from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.avatar import stepped_tone
from tests.live.avatar.conftest import (
    AVATAR,
    RATE,
    AvatarServer,
    Join,
    avatar_token,
    running_avatar_server,
    start_avatar,
)
from tests.live.conftest import running_server
from tests.live.viewer import SAMPLE_RATE, Viewer, viewer_token

pytestmark = pytest.mark.timed

SECONDS = 8.0
NOTICED = 1.2
"""Seconds within which the avatar notices, with some for a busy machine."""
STOPS = 3


@pytest.fixture
def livekit(livekit: LiveKit, tmp_path: Path) -> Iterator[LiveKit]:
    """A server of this test's own, since it is stopped."""
    binary = livekit_server.find_binary()
    assert binary is not None
    with running_server(binary, tmp_path / "livekit.log") as server:
        yield server


@pytest.fixture
def server(livekit: LiveKit, tmp_path: Path) -> Iterator[AvatarServer]:
    with running_avatar_server(tmp_path / "avatar.log", LIVEKIT_URL=livekit.url) as server:
        yield server


def process_of(livekit: LiveKit) -> int:
    port = int(livekit.url.rpartition(":")[2])
    for child in psutil.Process().children(recursive=True):
        if any(connection.laddr.port == port for connection in child.net_connections() if connection.laddr):
            return child.pid
    raise LookupError("no process listens there")


@pytest.mark.parametrize("stopped_for", [5, 12])  # after 15 s the viewer joins anew too, and once heard nothing more
async def test_what_left_while_livekit_was_stopped_is_said_again(
    livekit: LiveKit, room_name: str, join: Join, server: AvatarServer, stopped_for: int
) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        assert (await start_avatar(http, livekit, avatar_token(livekit, room_name))).is_success
    async with Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer, join() as sender:
        await viewer.ready()
        pid = await asyncio.to_thread(process_of, livekit)
        with viewer.record_sound() as recorded:
            before = time.monotonic()
            writer = await sender.open(attributes=wire.StreamHeader(RATE, 1, "seg", 1).attributes())
            await writer.write(stepped_tone.make(SECONDS, RATE))
            await writer.aclose()
            await viewer.onset(before)
            await asyncio.sleep(2)
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(stopped_for)
            finally:
                os.kill(pid, signal.SIGCONT)
            back = time.monotonic()
            [end] = await sender.finished(1, timeout=60)
            assert time.monotonic() - back < SECONDS + 15
            await asyncio.sleep(1.5)
        answer = await sender.room.local_participant.perform_rpc(
            destination_identity=AVATAR, method=wire.RPC_STATUS, payload="", response_timeout=5
        )
    heard = stepped_tone.listen(np.frombuffer(b"".join(recorded), np.int16), SAMPLE_RATE)
    assert heard.missing(SECONDS) == []
    # LiveKit's filler for sound that came too late, at the end, may have a pitch that no step has
    backwards = [(one, other) for one, other in heard.jumps() if other < one < SECONDS / stepped_tone.STEP]
    assert len(backwards) <= 1
    assert all((one - other + 1) * stepped_tone.STEP <= NOTICED for one, other in backwards)
    assert end == wire.PlaybackFinished(SECONDS, False)
    assert wire.Status.loads(answer).ended == (wire.StatusEnded("seg", SECONDS, False, "confirmed", 1),)
    assert (await asyncio.to_thread(server.log.read_text)).count("LiveKit takes no sound") == 1


@pytest.mark.alone
async def test_a_clear_after_a_short_stop_reports_all_that_was_heard(
    livekit: LiveKit, join: Join, room_name: str, server: AvatarServer
) -> None:
    """The clear comes before the receiver report that says what LiveKit took.

    A stop that is noticed and short lasts between SILENT and SHORT, by the avatar's own measure. A machine that stands
    still meanwhile makes it longer: then no more is reported than was heard, and another stop has to be of that length.
    """
    for _ in range(STOPS):
        stop = await stopped_and_cleared(livekit, join, room_name, server)
        assert stop.end.interrupted
        print(f"away for {stop.absence} s: heard up to {stop.heard:.1f} s, reported {stop.end.playback_position:.2f} s")  # noqa: T201
        if 0 < stop.absence < SHORT:
            assert stop.end.playback_position == pytest.approx(stop.heard, abs=0.2)
            return
        assert stop.end.playback_position < stop.heard + 0.2
    pytest.fail(f"this machine made each of {STOPS} stops longer than {SHORT} s, or too short to be noticed")


@dataclass(frozen=True, slots=True)
class Stop:
    """What became of a segment that was cleared while LiveKit was stopped. In seconds."""

    absence: float
    """For which LiveKit was away, as the avatar says it; 0.0 where it did not notice."""
    end: wire.PlaybackFinished
    heard: float
    """Up to where a viewer heard it."""


async def stopped_and_cleared(livekit: LiveKit, join: Join, room_name: str, server: AvatarServer) -> Stop:
    said_before = len(await asyncio.to_thread(server.log.read_text))
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        answer = await start_avatar(http, livekit, avatar_token(livekit, room_name))
        assert answer.is_success
        async with Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer, join() as sender:
            await viewer.ready()
            pid = await asyncio.to_thread(process_of, livekit)
            with viewer.record_sound() as recorded:
                before = time.monotonic()
                await sender.say(stepped_tone.make(SECONDS, RATE), segment="seg")
                await viewer.onset(before)
                await asyncio.sleep(2)
                os.kill(pid, signal.SIGSTOP)
                try:
                    await asyncio.sleep(0.5)
                    cleared = asyncio.create_task(sender.clear())
                    await asyncio.sleep(0.35)
                finally:
                    os.kill(pid, signal.SIGCONT)
                assert await cleared == wire.CLEAR_OK
                [end] = await sender.finished(1, timeout=5)
                await asyncio.sleep(2.5)
        assert (await http.delete(f"/v1/sessions/{answer.json()['session_id']}")).is_success
    heard = stepped_tone.listen(np.frombuffer(b"".join(recorded), np.int16), SAMPLE_RATE)
    said = re.findall(
        r"takes sound again after ([\d.]+) s", (await asyncio.to_thread(server.log.read_text))[said_before:]
    )
    return Stop(float(said[-1]) if said else 0.0, end, (max(heard.order) + 1) * stepped_tone.STEP)
