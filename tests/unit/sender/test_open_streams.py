"""Which streams a killed process left open, and when each brought its last chunk."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mouthpiece.errors import StoreError
from mouthpiece_sender.livekit.open_streams import FORGOTTEN, INTERVAL, OpenStreams


@dataclass
class Recording:
    """A writer that says what was done with it."""

    done: list[str] = field(default_factory=list)
    fails: bool = False

    async def write(self, data: bytes) -> None:
        self.done.append(f"write {len(data)}")

    async def aclose(self) -> None:
        self.done.append("close")
        if self.fails:
            raise RuntimeError("the connection is gone")

    async def open(self) -> Recording:
        self.done.append("open")
        if self.fails:
            raise RuntimeError("the connection is gone")
        return self


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def after_a_kill(folder: Path, clock: Callable[[], float]) -> OpenStreams:
    """What the next process reads."""
    streams = OpenStreams(folder, clock)
    await streams.read()
    return streams


async def marked(folder: Path) -> bool:
    return bool(await asyncio.to_thread(os.listdir, folder))


def made_older(folder: Path, seconds: float) -> None:
    for path in folder.iterdir():
        changed = path.stat().st_mtime - seconds
        os.utime(path, (changed, changed))


async def test_a_stream_that_was_closed_was_not_left_open(tmp_path: Path, clock: Clock) -> None:
    streams = await after_a_kill(tmp_path / "marks", clock)
    writer = await streams.marking("room", Recording().open)()
    await writer.write(b"1234")
    assert (await after_a_kill(tmp_path / "marks", clock)).left_open_at("room") is not None
    await writer.aclose()
    assert (await after_a_kill(tmp_path / "marks", clock)).left_open_at("room") is None


async def test_the_last_chunk_counts_and_no_other_room(tmp_path: Path, clock: Clock) -> None:
    streams = await after_a_kill(tmp_path, clock)
    writer = await streams.marking("room/1: é", Recording().open)()
    made_older(tmp_path, 30.0)
    clock.now += INTERVAL + 0.01
    await writer.write(b"1234")
    made_older(tmp_path, 5.0)
    following = await after_a_kill(tmp_path, clock)
    assert following.left_open_at("room/1: é") == pytest.approx(clock.now - 5.0, abs=2.0)
    assert following.left_open_at("room/1: e") is None


async def test_a_process_that_is_killed_before_it_speaks_leaves_the_time_as_it_was(
    tmp_path: Path, clock: Clock
) -> None:
    await (await after_a_kill(tmp_path, clock)).marking("room", Recording().open)()
    made_older(tmp_path, 8.0)
    await after_a_kill(tmp_path, clock)
    third = await after_a_kill(tmp_path, clock)
    assert third.left_open_at("room") == pytest.approx(clock.now - 8.0, abs=2.0)


async def test_it_is_marked_before_the_stream_opens_and_until_it_was_closed(tmp_path: Path, clock: Clock) -> None:
    seen: dict[str, bool] = {}

    class Looking(Recording):
        async def open(self) -> Recording:
            seen["opening"] = await marked(tmp_path)
            return self

        async def aclose(self) -> None:
            seen["closing"] = await marked(tmp_path)

    writer = await (await after_a_kill(tmp_path, clock)).marking("room", Looking().open)()
    await writer.aclose()
    assert seen == {"opening": True, "closing": True}


async def test_the_mark_of_a_room_stays_until_its_last_stream_is_closed(tmp_path: Path, clock: Clock) -> None:
    streams = await after_a_kill(tmp_path, clock)
    first = await streams.marking("room", Recording().open)()
    second = await streams.marking("room", Recording().open)()
    await first.aclose()
    assert await marked(tmp_path)
    await second.aclose()
    assert not await marked(tmp_path)


@pytest.mark.parametrize("way", ["open", "aclose"])
async def test_one_that_fails_leaves_no_mark_and_its_error_is_passed_on(tmp_path: Path, clock: Clock, way: str) -> None:
    streams, writer = await after_a_kill(tmp_path, clock), Recording(fails=way == "open")

    async def use() -> None:
        opened = await streams.marking("room", writer.open)()
        writer.fails = True
        await opened.aclose()

    with pytest.raises(RuntimeError, match="gone"):
        await use()
    assert not await marked(tmp_path)


async def test_what_is_older_than_any_receiver_waits_is_forgotten(tmp_path: Path, clock: Clock) -> None:
    await (await after_a_kill(tmp_path, clock)).marking("room", Recording().open)()
    made_older(tmp_path, FORGOTTEN + 1)
    assert (await after_a_kill(tmp_path, clock)).left_open_at("room") is None
    assert not await marked(tmp_path)


async def test_a_folder_that_is_gone_stops_no_speech(tmp_path: Path, clock: Clock) -> None:
    folder, writer = tmp_path / "marks", Recording()
    streams = await after_a_kill(folder, clock)
    folder.rmdir()
    opened = await streams.marking("room", writer.open)()
    await opened.write(b"12")
    await opened.aclose()
    assert writer.done == ["open", "write 2", "close"]


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="open streams cannot be read"):
        await OpenStreams(tmp_path / "file" / "marks").read()


async def test_it_follows_the_machines_monotonic_clock(tmp_path: Path) -> None:
    streams = OpenStreams(tmp_path)
    await streams.marking("room", Recording().open)()
    following = OpenStreams(tmp_path)
    await following.read()
    assert following.left_open_at("room") == pytest.approx(time.monotonic(), abs=5.0)
