"""A data folder is copied while a service works in it, and put in place again."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from mouthpiece.errors import ConfigurationError, StoreError
from mouthpiece.segments import AudioInfo, Event, Segment, Source, State, new_segment_id, utc_now
from mouthpiece_sender.storage import backup as backups
from mouthpiece_sender.storage.backup import Contents, back_up, restore
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.storage.store import Store


class Service:
    """What a service does in its data folder."""

    def __init__(self, data: Path, store: Store, spool: Spool) -> None:
        self.data = data
        self.store = store
        self.spool = spool

    async def accept(self, room: str = "demo") -> Segment:
        id = new_segment_id()

        async def body() -> AsyncIterator[bytes]:
            yield b"sound of " + id.encode()

        await self.spool.store(id, body())
        segment = Segment(id=id, room=room, source=Source("file"), audio=AudioInfo(16_000, 1, 1), created_at=utc_now())
        await self.store.accept(segment)
        return segment

    async def end(self, segment: Segment) -> None:
        ended = replace(segment, state=State.FINISHED, finished_at=utc_now())
        await self.store.record(ended, Event(segment.id, segment.room, "segment.finished", utc_now()))
        await self.spool.remove(segment.id)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    data = tmp_path / "data"
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(data / "mouthpiece.db"))
        spool = await stack.enter_async_context(Spool(data / "sounds"))
        yield Service(data, store, spool)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def waiting(data: Path) -> dict[str, bytes]:
    """The sound of each segment that has not ended."""
    async with Store(data / "mouthpiece.db") as store, Spool(data / "sounds") as spool:
        return {one.id: await asyncio.to_thread(spool.path(one.id).read_bytes) for one, _ in await store.unfinished()}


async def test_a_backup_is_a_data_folder_with_what_was_accepted_and_its_sounds(
    service: Service, tmp_path: Path
) -> None:
    first, second = await service.accept(), await service.accept()
    await service.end(first)
    made = await asyncio.to_thread(back_up, service.data, tmp_path / "copies" / "one")
    assert (made.segments, made.waiting, made.sounds) == (2, 1, 1)
    await service.accept()  # is not in it
    await service.store.check()  # the service goes on, in a file that nobody else has written to
    assert await waiting(tmp_path / "copies" / "one") == {second.id: b"sound of " + second.id.encode()}
    assert stat.S_IMODE((tmp_path / "copies" / "one").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "copies" / "one" / "mouthpiece.db").stat().st_mode) == 0o600


async def test_each_backup_of_a_busy_service_is_whole(service: Service, tmp_path: Path) -> None:
    stopping = asyncio.Event()

    async def work() -> None:
        while not stopping.is_set():
            segment = await service.accept()
            await asyncio.sleep(0)
            await service.end(segment)

    working = [asyncio.create_task(work()) for _ in range(3)]
    for number in range(5):
        await asyncio.to_thread(back_up, service.data, tmp_path / f"{number}")
    stopping.set()
    await asyncio.gather(*working)
    for number in range(5):
        await waiting(tmp_path / f"{number}")  # reads the sound of each


async def test_a_sound_that_goes_while_it_is_copied_makes_another_try(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = await service.accept()
    tries = 0

    def copy(source: Path, target: Path) -> None:
        nonlocal tries
        tries += 1
        if tries > 2:  # nothing of the first try
            copy_sounds(source, target)

    copy_sounds = backups._copy_sounds
    monkeypatch.setattr(backups, "_copy_sounds", copy)
    await asyncio.to_thread(back_up, service.data, tmp_path / "copy")
    assert (tmp_path / "copy" / "sounds" / segment.id).is_file()
    monkeypatch.setattr(backups, "_copy_sounds", lambda *_: None)
    with pytest.raises(StoreError, match="quieter"):
        await asyncio.to_thread(back_up, service.data, tmp_path / "other")
    assert names(tmp_path) == ["copy", "data"]


async def test_a_sound_is_copied_where_it_cannot_be_linked(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = await service.accept()

    def another_file_system(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", another_file_system)
    await asyncio.to_thread(back_up, service.data, tmp_path / "copy")
    copied = tmp_path / "copy" / "sounds" / segment.id
    assert (copied.stat().st_nlink, copied.read_bytes()) == (1, b"sound of " + segment.id.encode())
    assert stat.S_IMODE(copied.stat().st_mode) == 0o600


async def test_what_is_there_is_not_overwritten_and_what_is_no_data_folder_is_refused(
    service: Service, tmp_path: Path
) -> None:
    (tmp_path / "copy").mkdir()
    for data, to in ((service.data, tmp_path / "copy"), (tmp_path / "copy", tmp_path / "other")):
        with pytest.raises(ConfigurationError):
            await asyncio.to_thread(back_up, data, to)
    assert names(tmp_path) == ["copy", "data"]


async def test_a_restored_folder_holds_the_backup_and_what_was_there_is_beside_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with Store(data / "mouthpiece.db") as store, Spool(data / "sounds") as spool:
        service = Service(data, store, spool)
        (data / "instance").write_text("one\n")
        kept = await service.accept()
        made = await asyncio.to_thread(back_up, data, tmp_path / "copy")
        lost = await service.accept()
        with pytest.raises(ConfigurationError, match="stop it"):
            await asyncio.to_thread(restore, tmp_path / "copy", data, paused=False)
    shutil.copy(
        data / "mouthpiece.db", data / "mouthpiece.db-wal"
    )  # left by a crash, and of no use to another database
    contents, aside = await asyncio.to_thread(restore, tmp_path / "copy", data, paused=False)
    assert (
        (contents.segments, contents.waiting, contents.sounds)
        == (made.segments, made.waiting, made.sounds)
        == (1, 1, 1)
    )
    assert (await waiting(data)).keys() == {kept.id}
    assert (data / "instance").read_text() == "one\n"
    assert aside is not None
    (aside / "mouthpiece.db-wal").unlink()
    assert (await waiting(aside)).keys() == {kept.id, lost.id}
    async with Store(data / "mouthpiece.db") as store:
        assert await store.paused_rooms() == []


async def test_rooms_of_what_waits_can_be_restored_paused(service: Service, tmp_path: Path) -> None:
    await service.accept("one")
    await service.end(await service.accept("two"))
    await asyncio.to_thread(back_up, service.data, tmp_path / "copy")
    contents, aside = await asyncio.to_thread(restore, tmp_path / "copy", tmp_path / "new", paused=True)
    assert isinstance(contents, Contents)
    assert aside is None
    async with Store(tmp_path / "new" / "mouthpiece.db") as store:
        assert await store.paused_rooms() == ["one"]


async def test_a_backup_of_a_later_version_changes_nothing(service: Service, tmp_path: Path) -> None:
    await asyncio.to_thread(back_up, service.data, tmp_path / "copy")
    later = sqlite3.connect(tmp_path / "copy" / "mouthpiece.db")
    later.execute("PRAGMA user_version = 99")
    later.close()
    await asyncio.to_thread(back_up, service.data, tmp_path / "other")
    await asyncio.to_thread(restore, tmp_path / "other", tmp_path / "new", paused=False)
    before = names(tmp_path / "new")
    with pytest.raises(ConfigurationError, match="later version"):
        await asyncio.to_thread(restore, tmp_path / "copy", tmp_path / "new", paused=False)
    assert names(tmp_path / "new") == before
