from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mouthpiece.errors import AudioTooLarge, StoreError, StoreFull
from mouthpiece_sender.storage.spool import BATCH, Spool

ID = "seg_1"


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def test_a_body_is_kept_as_it_came_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "spool"
    async with Spool(folder) as spool:
        kept = await spool.keep(ID, chunks(b"one ", b"", b"two"))
    assert kept.path.read_bytes() == b"one two"
    assert kept.size == 7
    assert kept.path == spool.path(ID)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_long_body_is_written_as_it_arrives(tmp_path: Path) -> None:
    part = tmp_path / f"{ID}.part"
    seen: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for number in range(5):
            yield bytes([number]) * BATCH
            seen.append((await asyncio.to_thread(part.stat)).st_size)

    async with Spool(tmp_path) as spool:
        kept = await spool.keep(ID, body())
    assert seen == [BATCH, 2 * BATCH, 3 * BATCH, 4 * BATCH, 5 * BATCH]
    assert kept.path.read_bytes() == b"".join(bytes([number]) * BATCH for number in range(5))


async def test_an_empty_body_is_kept_as_an_empty_file(tmp_path: Path) -> None:
    async with Spool(tmp_path) as spool:
        assert (await spool.keep(ID, chunks())).size == 0
    assert names(tmp_path) == [ID]


@pytest.mark.parametrize("size", [BATCH // 2, 3 * BATCH])
async def test_a_body_over_the_limit_leaves_nothing(tmp_path: Path, size: int) -> None:
    async with Spool(tmp_path, max_bytes=size - 1) as spool:
        with pytest.raises(AudioTooLarge, match="larger than"):
            await spool.keep(ID, chunks(*[bytes(BATCH // 4)] * (size // (BATCH // 4))))
        assert names(tmp_path) == []
        assert (await spool.keep(ID, chunks(bytes(size - 1)))).size == size - 1


async def test_a_sender_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2 * BATCH)
        raise ConnectionResetError

    async with Spool(tmp_path) as spool:
        with pytest.raises(ConnectionResetError):
            await spool.keep(ID, broken())
        assert names(tmp_path) == []


async def test_cancelled_while_it_arrives_it_leaves_nothing(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(2 * BATCH)
        arrived.set()
        await asyncio.Event().wait()

    async with Spool(tmp_path) as spool:
        task = asyncio.create_task(spool.keep(ID, endless()))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert names(tmp_path) == []


async def test_cancelled_while_it_is_written_it_leaves_nothing(tmp_path: Path) -> None:
    async with Spool(tmp_path) as spool:
        for turns in range(12):
            task = asyncio.create_task(spool.keep(ID, chunks(bytes(4 * BATCH))))
            for _ in range(turns):
                await asyncio.sleep(0)
            if task.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert names(tmp_path) == []


async def test_a_disk_that_is_nearly_full_refuses_and_leaves_nothing(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path)
    async with Spool(tmp_path, min_free=free.f_blocks * free.f_frsize) as spool:
        with pytest.raises(StoreFull, match="nearly so"):
            await spool.keep(ID, chunks(b"sound"))
    assert names(tmp_path) == []


async def test_a_segment_has_one_body(tmp_path: Path) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(BATCH)
        arrived.set()
        await go_on.wait()

    async with Spool(tmp_path) as spool:
        first = asyncio.create_task(spool.keep(ID, slow()))
        await arrived.wait()
        with pytest.raises(StoreError):
            await spool.keep(ID, chunks(b"another"))
        go_on.set()
        assert (await first).path.read_bytes() == bytes(BATCH)


async def test_what_a_killed_process_was_receiving_is_gone_at_start_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "seg_whole").write_bytes(b"whole")
    (tmp_path / "seg_half.part").write_bytes(b"half")
    async with Spool(tmp_path):
        assert names(tmp_path) == ["seg_whole"]


async def test_a_sweep_leaves_what_waits(tmp_path: Path) -> None:
    async with Spool(tmp_path) as spool:
        for name in ("seg_waits", "seg_ended", "seg_unknown"):
            await spool.keep(name, chunks(b"sound"))
        await spool.sweep(waiting=["seg_waits"])
        assert names(tmp_path) == ["seg_waits"]


async def test_a_sweep_leaves_alone_what_arrives(tmp_path: Path) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield bytes(BATCH)
        await spool.sweep(waiting=())
        yield b"end"

    async with Spool(tmp_path) as spool:
        assert (await spool.keep(ID, body())).path.stat().st_size == BATCH + 3


async def test_without_retention_the_sound_goes_with_the_end_of_its_segment(tmp_path: Path) -> None:
    async with Spool(tmp_path) as spool:
        await spool.keep(ID, chunks(b"sound"))
        await spool.ended(ID)
        assert names(tmp_path) == []
        await spool.ended(ID)
        await spool.remove(ID)


async def test_with_retention_the_sound_stays_for_a_while_also_over_a_restart(tmp_path: Path) -> None:
    now = 1_000_000.0

    def clock() -> float:
        return now

    async with Spool(tmp_path, retention=3600, wall_clock=clock) as spool:
        await spool.keep(ID, chunks(b"sound"))
        now += 500
        await spool.ended(ID)
        now += 3000
        await spool.sweep(waiting=())
        assert names(tmp_path) == [ID]
    async with Spool(tmp_path, retention=3600, wall_clock=clock) as spool:
        await spool.sweep(waiting=())
        assert names(tmp_path) == [ID]
        now += 601
        await spool.sweep(waiting=())
        assert names(tmp_path) == []


async def test_with_retention_what_is_due_is_removed_without_being_asked(tmp_path: Path) -> None:
    removed = asyncio.Event()

    class Telling(Spool):
        async def remove(self, segment_id: str) -> None:
            await super().remove(segment_id)
            removed.set()

    async with Telling(tmp_path, retention=0.01) as spool:
        await spool.keep(ID, chunks(b"sound"))
        await spool.ended(ID)
        await removed.wait()
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["../seg_1", "", "a/b", ".", "..", "seg_1.part", "x" * 200])
async def test_nothing_outside_the_folder_can_be_named(tmp_path: Path, name: str) -> None:
    async with Spool(tmp_path) as spool:
        with pytest.raises(ValueError, match="segment's id"):
            await spool.remove(name)
        with pytest.raises(ValueError, match="segment's id"):
            await spool.keep(name, chunks(b"sound"))


async def test_a_folder_that_cannot_be_made_is_said_in_our_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be used"):
        async with Spool(tmp_path / "file" / "spool"):
            pass
