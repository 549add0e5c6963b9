from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mouthpiece.errors import StoreError, StoreFull
from mouthpiece_sender.storage.spool import BATCH, Spool

ID = "seg_1"


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def test_a_body_is_stored_as_it_came_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "spool"
    async with Spool(folder) as spool:
        stored = await spool.store(ID, chunks(b"one ", b"", b"two"))
    assert stored.path.read_bytes() == b"one two"
    assert stored.size == 7
    assert stored.path == spool.path(ID)
    assert stat.S_IMODE(stored.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_folder_that_was_there_keeps_its_rights(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o775)
    async with Spool(shared):
        pass
    async with Spool(shared / "spool"):
        pass
    assert stat.S_IMODE(shared.stat().st_mode) == 0o775


async def test_a_long_body_is_written_as_it_arrives(tmp_path: Path) -> None:
    part = tmp_path / f"{ID}.part"
    seen: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for number in range(5):
            yield bytes([number]) * BATCH
            seen.append((await asyncio.to_thread(part.stat)).st_size)

    async with Spool(tmp_path) as spool:
        stored = await spool.store(ID, body())
    assert seen == [BATCH, 2 * BATCH, 3 * BATCH, 4 * BATCH, 5 * BATCH]
    assert stored.path.read_bytes() == b"".join(bytes([number]) * BATCH for number in range(5))


async def test_an_empty_body_is_stored_as_an_empty_file(tmp_path: Path) -> None:
    async with Spool(tmp_path) as spool:
        assert (await spool.store(ID, chunks())).size == 0
    assert names(tmp_path) == [ID]


async def test_a_sender_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2 * BATCH)
        raise ConnectionResetError

    async with Spool(tmp_path) as spool:
        with pytest.raises(ConnectionResetError):
            await spool.store(ID, broken())
        assert names(tmp_path) == []


async def test_cancelled_while_it_arrives_it_leaves_nothing(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(2 * BATCH)
        arrived.set()
        await asyncio.Event().wait()

    async with Spool(tmp_path) as spool:
        task = asyncio.create_task(spool.store(ID, endless()))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert names(tmp_path) == []


async def test_cancelled_while_it_is_written_it_leaves_nothing(tmp_path: Path) -> None:
    async with Spool(tmp_path) as spool:
        for turns in range(12):
            task = asyncio.create_task(spool.store(ID, chunks(bytes(4 * BATCH))))
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
            await spool.store(ID, chunks(b"sound"))
    assert names(tmp_path) == []


async def test_a_segment_has_one_body(tmp_path: Path) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(BATCH)
        arrived.set()
        await go_on.wait()

    async with Spool(tmp_path) as spool:
        first = asyncio.create_task(spool.store(ID, slow()))
        await arrived.wait()
        with pytest.raises(StoreError):
            await spool.store(ID, chunks(b"another"))
        go_on.set()
        assert (await first).path.read_bytes() == bytes(BATCH)


async def test_what_a_killed_process_was_receiving_is_gone_at_start_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "seg_whole").write_bytes(b"whole")
    (tmp_path / "seg_half.part").write_bytes(b"half")
    async with Spool(tmp_path):
        assert names(tmp_path) == ["seg_whole"]


async def test_sizes_lists_what_is_complete(tmp_path: Path) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield bytes(BATCH)
        assert await spool.sizes() == {"seg_whole": 5}

    async with Spool(tmp_path) as spool:
        await spool.store("seg_whole", chunks(b"sound"))
        await spool.store(ID, body())
        assert await spool.sizes() == {"seg_whole": 5, ID: BATCH}


async def test_linked_audio_stays_when_the_first_is_removed(tmp_path: Path) -> None:
    async with Spool(tmp_path) as spool:
        await spool.store(ID, chunks(b"sound"))
        assert await spool.link(ID, "seg_2")
        await spool.remove(ID)
        assert spool.path("seg_2").read_bytes() == b"sound"
        assert not await spool.link(ID, "seg_3")


@pytest.mark.parametrize("afterwards", [lambda folder: None, Path.mkdir])
async def test_a_folder_that_was_removed_or_replaced_takes_nothing(
    tmp_path: Path, afterwards: Callable[[Path], None]
) -> None:
    folder = tmp_path / "spool"
    async with Spool(folder) as spool:
        await spool.check()
        folder.rename(tmp_path / "away")
        afterwards(folder)
        for refused in (spool.check(), spool.store(ID, chunks(b"sound")), spool.sizes(), spool.link(ID, "seg_2")):
            with pytest.raises(StoreError, match="removed or replaced"):
                await refused
        assert names(tmp_path / "away") == []


async def test_the_digest_is_of_the_whole_content(tmp_path: Path) -> None:
    async with Spool(tmp_path) as spool:
        stored = await spool.store(ID, chunks(bytes(BATCH), b"end"))
    assert stored.digest == hashlib.sha256(bytes(BATCH) + b"end").hexdigest()


async def test_what_is_gone_can_be_removed_again(tmp_path: Path) -> None:
    async with Spool(tmp_path) as spool:
        await spool.store(ID, chunks(b"sound"))
        await spool.remove(ID)
        assert names(tmp_path) == []
        await spool.remove(ID)


@pytest.mark.parametrize("name", ["../seg_1", "", "a/b", ".", "..", "seg_1.part", "x" * 200])
async def test_nothing_outside_the_folder_can_be_named(tmp_path: Path, name: str) -> None:
    async with Spool(tmp_path) as spool:
        with pytest.raises(ValueError, match="segment's id"):
            await spool.remove(name)
        with pytest.raises(ValueError, match="segment's id"):
            await spool.store(name, chunks(b"sound"))


async def test_a_folder_that_cannot_be_made_is_said_in_our_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be used"):
        async with Spool(tmp_path / "file" / "spool"):
            pass


async def test_a_sound_is_on_disk_before_its_name_and_its_name_before_it_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def synced(file: int) -> None:
        calls.append(f"sync {Path(os.readlink(f'/proc/self/fd/{file}')).name}")
        fsync(file)

    def renamed(path: Path, to: Path) -> Path:
        calls.append(f"name {to.name}")
        return rename(path, to)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    async with Spool(tmp_path / "new" / "spool") as spool:
        assert calls == [f"sync {tmp_path.name}", "sync new"]
        await spool.store(ID, chunks(b"sound"))
        calls.append("stored")
        await spool.link(ID, "seg_2")
    assert calls[2:] == [f"sync {ID}.part", f"name {ID}", "sync spool", "stored", "sync spool"]
