"""What is removed when, over a real store and spool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from mouthpiece.errors import StoreError
from mouthpiece.segments import AudioInfo, Event, Segment, Source, State
from mouthpiece_sender.storage import retention as module
from mouthpiece_sender.storage.journal import IdempotencyKey
from mouthpiece_sender.storage.retention import Limits, Retention
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.storage.store import Store

NOW = datetime(2026, 11, 21, 5, tzinfo=UTC)
DAY = timedelta(days=1)


class House:
    """A store, a spool, and what a test puts into them."""

    def __init__(self, store: Store, spool: Spool) -> None:
        self.store, self.spool = store, spool

    async def put(self, id: str, *, ended: timedelta | None = None, size: int = 5, key: str | None = None) -> Segment:
        """``ended``: how long ago; None: it waits."""
        at = NOW - (ended or timedelta())
        segment = Segment(
            id=id, room="demo", source=Source("text", text=f"words of {id}"), audio=AudioInfo(8000, 1, 1), created_at=at
        )

        async def sound() -> AsyncIterator[bytes]:
            yield bytes(size)

        await self.spool.store(id, sound())
        await self.store.accept(segment, None if key is None else IdempotencyKey("scope", key, ""))
        if ended is not None:
            done = replace(segment, state=State.FINISHED, finished_at=at)
            await self.store.record(done, Event(id, "demo", "segment.finished", at))
            return done
        return segment

    async def segments(self) -> set[str]:
        return {segment.id for segment in (await self.store.list("demo", limit=1000)).segments}

    async def sweep(self, **limits: object) -> None:
        await Retention(self.store, self.spool, Limits(**limits), wall_clock=lambda: NOW).sweep()  # type: ignore[arg-type]


def contents(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob("store.db*")]


@pytest_asyncio.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(module, "PAUSE", 0)
    async with Store(tmp_path / "store.db") as store, Spool(tmp_path / "spool") as spool:
        yield House(store, spool)


async def test_each_kind_goes_at_its_age_and_what_waits_stays(house: House, tmp_path: Path) -> None:
    for days in (1, 5, 15, 40):
        await house.put(f"seg_{days}", ended=days * DAY)
    await house.put("seg_waits")
    await house.sweep(segments=30 * DAY, texts=10 * DAY, events=3 * DAY, sounds=2 * DAY)
    assert await house.segments() == {"seg_1", "seg_5", "seg_15", "seg_waits"}
    texts = {segment.id: segment.source.text for segment in (await house.store.list("demo")).segments}
    assert {id for id, text in texts.items() if text is None} == {"seg_15"}
    assert (await house.spool.sizes()).keys() == {"seg_1", "seg_waits"}
    left = (await house.store.log(0, 99)).entries
    assert {entry.event.at for entry in left} == {NOW - DAY, NOW}
    written = b"".join(contents(tmp_path))
    assert b"words of seg_5" in written
    for word in (b"words of seg_15", b"words of seg_40"):
        assert word not in written


async def test_more_than_a_batch_goes_in_one_sweep(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    for number in range(10):
        await house.put(f"seg_{number}", ended=40 * DAY)
    await house.sweep()
    assert await house.segments() == set()
    assert await house.spool.sizes() == {}


async def test_a_store_that_is_too_large_loses_its_oldest(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 5)
    for number in range(40):
        await house.put(f"seg_{number:02}", ended=timedelta(hours=40 - number))
    await house.put("seg_waits")
    size = await house.store.size()
    await house.sweep(store_bytes=size - 1)
    left = await house.segments()
    assert "seg_waits" in left
    assert len(left) < 41
    assert left - {"seg_waits"} == {f"seg_{number:02}" for number in range(41 - len(left), 40)}
    await house.sweep(store_bytes=1)  # what waits cannot go, so this ends all the same
    assert await house.segments() == {"seg_waits"}


async def test_a_segment_that_a_key_names_stays_for_a_day(house: House) -> None:
    await house.put("seg_new", ended=timedelta(hours=23), key="new")
    await house.put("seg_old", ended=timedelta(hours=25), key="old")
    await house.sweep(segments=timedelta())
    assert await house.segments() == {"seg_new"}


async def test_kept_sounds_beyond_their_size_go_the_oldest_first(house: House) -> None:
    for number in range(5):
        await house.put(f"seg_{number}", ended=timedelta(minutes=10 - number), size=100)
    await house.put("seg_waits", size=1000)
    await house.sweep(sounds=DAY, sound_bytes=250)
    assert (await house.spool.sizes()).keys() == {"seg_3", "seg_4", "seg_waits"}


async def test_at_start_the_sounds_that_nothing_needs_go(house: House) -> None:
    await house.put("seg_ended", ended=timedelta(seconds=1))
    await house.put("seg_waits")
    await house.put("seg_unknown", ended=DAY)
    await house.store.remove("segments", NOW - timedelta(hours=1), 1)
    async with Retention(house.store, house.spool, Limits()):
        assert (await house.spool.sizes()).keys() == {"seg_waits"}


@pytest.mark.parametrize(("keep", "left"), [(0, False), (10, True)])
async def test_a_sound_goes_with_the_end_of_its_segment_unless_it_is_kept(house: House, keep: int, left: bool) -> None:
    segment = await house.put("seg_1")
    retention = Retention(house.store, house.spool, Limits(sounds=timedelta(seconds=keep)))
    event = Event("seg_1", "demo", "segment.finished", NOW)
    await retention.forget_ended(segment, event)
    assert "seg_1" in await house.spool.sizes()
    await retention.forget_ended(replace(segment, state=State.FINISHED), event)
    assert ("seg_1" in await house.spool.sizes()) is left


async def test_it_sweeps_by_itself_and_goes_on_after_a_failure(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.001)
    swept = asyncio.Event()
    failures = [StoreError("The data folder is away.")]

    class Failing(Retention):
        async def sweep(self) -> None:
            if failures:
                raise failures.pop()
            await super().sweep()
            swept.set()

    await house.put("seg_old", ended=40 * DAY)
    async with Failing(house.store, house.spool, Limits(), wall_clock=lambda: NOW), asyncio.timeout(5):
        await swept.wait()
    assert "what is too old could not be removed: The data folder is away." in caplog.text
    assert await house.segments() == set()


async def test_nothing_is_removed_while_the_spool_is_away(house: House, tmp_path: Path) -> None:
    await house.put("seg_old", ended=40 * DAY)
    (tmp_path / "spool").rename(tmp_path / "away")
    with pytest.raises(StoreError, match="removed or replaced"):
        await house.sweep()
    assert await house.segments() == {"seg_old"}
