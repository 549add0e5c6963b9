from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from mouthpiece.errors import ConfigurationError, SegmentNotFound, StoreError, StoreFull
from mouthpiece.segments import (
    AttemptRecord,
    AttemptState,
    AudioInfo,
    Encoding,
    EndedBy,
    Event,
    Mode,
    OnLoss,
    Problem,
    Receipt,
    Segment,
    Source,
    SourceKind,
    State,
    Viewers,
)
from mouthpiece_sender.storage import rows, store_file
from mouthpiece_sender.storage.migrations import MIGRATIONS
from mouthpiece_sender.storage.store import Store

AT = datetime(2026, 11, 21, 5, 0, 0, 123456, tzinfo=UTC)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "store.db") as store:
        yield store


def plain(number: int = 1, room: str = "demo", **changes: object) -> Segment:
    segment = Segment(
        id=f"seg_{number:04x}",
        room=room,
        source=Source("file", "a.wav"),
        audio=AudioInfo(16_000, 1, 3.5),
        created_at=AT,
    )
    return replace(segment, **changes)  # type: ignore[arg-type]


def event(segment: Segment, type: str = "segment.playing", **more: object) -> Event:
    return replace(Event(segment.id, segment.room, type, AT), **more)  # type: ignore[arg-type]


async def outside(path: Path, statement: str) -> list[tuple[object, ...]]:
    """The rows that another connection to the file sees."""

    def look() -> list[tuple[object, ...]]:
        database = sqlite3.connect(path)
        try:
            return database.execute(statement).fetchall()
        finally:
            database.close()

    return await asyncio.to_thread(look)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


times = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
counts = st.none() | st.integers(0, 10**6)
seconds = st.floats(0, 1e6)
segments = st.builds(
    Segment,
    id=st.just("seg_1"),
    room=words,
    source=st.builds(
        Source,
        st.sampled_from(get_args(SourceKind)),
        st.none() | words,
        st.none() | words,
        st.none() | words,
        st.none() | words,
        st.none() | st.sampled_from(get_args(Encoding)),
    ),
    audio=st.builds(AudioInfo, st.integers(4000, 192_000), st.integers(1, 8), st.none() | seconds),
    created_at=times,
    avatar=st.none() | words,
    profile=st.none() | words,
    state=st.sampled_from(State),
    receipt=st.sampled_from(Receipt),
    position=seconds,
    interrupted=st.booleans(),
    viewers=st.builds(Viewers, counts, counts),
    tag=st.none() | words,
    metadata=st.none() | st.dictionaries(words, words | st.integers(-9, 9) | st.lists(st.none()), max_size=3),
    ended_by=st.none() | st.sampled_from(EndedBy),
    started_at=st.none() | times,
    finished_at=st.none() | times,
    expires_at=st.none() | times,
    duplicate=st.booleans(),
    error=st.none() | st.builds(Problem, words, words, st.booleans()),
    mode=st.sampled_from(Mode),
    on_loss=st.sampled_from(OnLoss),
    interruptible=st.booleans(),
    wait_for_viewer=st.booleans(),
)


@pytest.fixture(scope="module")
def tables() -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    for migration in MIGRATIONS:
        database.executescript(migration)
    yield database
    database.close()


@given(segment=segments)
def test_a_segment_comes_back_as_it_was_kept(tables: sqlite3.Connection, segment: Segment) -> None:
    values = rows.row(segment)
    tables.execute("DELETE FROM segments")
    tables.execute(
        f"INSERT INTO segments ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", list(values.values())
    )
    (row,) = tables.execute("SELECT * FROM segments")
    assert rows.segment(row, ()) == segment


async def test_it_is_on_disk_before_accept_returns(tmp_path: Path, store: Store) -> None:
    assert await outside(tmp_path / "store.db", "PRAGMA journal_mode") == [("wal",)]
    await store.accept(plain())
    assert await outside(tmp_path / "store.db", "SELECT id, state, created_at FROM segments") == [
        ("seg_0001", "queued", "2026-11-21T05:00:00.123456Z")
    ]


async def test_a_record_keeps_segment_event_and_attempt_together(tmp_path: Path, store: Store) -> None:
    await store.accept(plain())
    playing = plain(state=State.PLAYING, avatar="avatar-mia", started_at=AT, viewers=Viewers(2))
    attempt = AttemptRecord(number=1, avatar="avatar-mia", profile="mouthpiece", session="PA_1", offset=0.25)
    first = await store.record(playing, event(playing, attempt=1, position=0.25), attempt)
    finished = replace(playing, state=State.FINISHED, receipt=Receipt.CONFIRMED, position=3.5, finished_at=AT)
    ended = replace(attempt, position=3.5, receipt=Receipt.CONFIRMED, state=AttemptState.FINISHED, ended_at=AT)
    second = await store.record(finished, event(finished, "segment.finished", detail="why"), ended)
    assert second.seq > first.seq > 0
    assert first == event(playing, attempt=1, position=0.25, seq=first.seq)
    assert await store.get("seg_0001") == replace(finished, attempts=(ended,))
    logged = await outside(
        tmp_path / "store.db", "SELECT seq, type, attempt, position, detail FROM events ORDER BY seq"
    )
    assert logged == [
        (1, "segment.queued", None, None, None),
        (first.seq, "segment.playing", 1, 0.25, None),
        (second.seq, "segment.finished", None, None, "why"),
    ]


async def test_a_record_of_what_was_never_accepted_is_refused_whole(tmp_path: Path, store: Store) -> None:
    with pytest.raises(StoreError):
        await store.record(plain(), event(plain()), AttemptRecord(number=1, offset=0.0))
    assert await outside(tmp_path / "store.db", "SELECT * FROM events") == []
    assert await outside(tmp_path / "store.db", "SELECT * FROM attempts") == []
    await store.accept(plain())


async def test_a_page_that_is_just_full_is_the_last(store: Store) -> None:
    for number in range(4):
        await store.accept(plain(number))
    page = await store.list("demo", limit=2)
    assert page.next is not None
    assert (await store.list("demo", limit=2, after=page.next)).next is None
    assert (await store.list("nowhere")).segments == []


async def test_a_purged_text_is_nowhere_in_the_files(tmp_path: Path, store: Store) -> None:
    secret = "the eagle lands at midnight"
    segment = plain(source=Source("text", "note", secret, "heart"))
    await store.accept(segment)
    await store.accept(plain(2))
    await store.purge(segment.id)
    assert await store.get(segment.id) == replace(segment, source=Source("text", None, None, "heart"))
    for name, content in contents(tmp_path).items():
        assert secret.encode() not in content, name
    finished = replace(segment, state=State.FINISHED)
    await store.record(finished, event(finished))
    assert (await store.get(segment.id)).source.text is None
    with pytest.raises(SegmentNotFound):
        await store.purge("seg_none")


async def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mouthpiece"
    async with Store(folder / "store.db") as store:
        await store.accept(plain())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert set(modes) == {"store.db", "store.db-wal", "store.db-shm", "store.db.lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    """It may be a home, or one that a group shares."""
    folder = tmp_path / "shared"
    await asyncio.to_thread(folder.mkdir, 0o755)
    async with Store(folder / "store.db"):
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "store.db")]
    assert modes == [0o755, 0o600]


async def test_a_second_process_is_kept_out_while_the_first_one_works(tmp_path: Path) -> None:
    async with Store(tmp_path / "store.db") as store:
        with pytest.raises(ConfigurationError, match="Another process uses"):
            async with Store(tmp_path / "store.db"):
                pass
        await store.accept(plain())
    async with Store(tmp_path / "store.db") as store:
        await store.get("seg_0001")


async def test_a_file_that_is_no_store_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"a letter to my mother" * 100)
    with pytest.raises(ConfigurationError, match="no store of ours"):
        async with Store(path):
            pass
    assert path.read_bytes() == b"a letter to my mother" * 100


async def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    async with Store(tmp_path / "store.db"):
        pass
    database = sqlite3.connect(tmp_path / "store.db")
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()
    with pytest.raises(ConfigurationError, match="later version"):
        async with Store(tmp_path / "store.db"):
            pass


@pytest.mark.parametrize("made", [Path.mkdir, lambda path: path.parent.rmdir() or path.parent.touch()])
async def test_a_path_that_cannot_be_used_is_said_in_our_words(tmp_path: Path, made: Callable[[Path], object]) -> None:
    path = tmp_path / "data" / "store.db"
    path.parent.mkdir()
    made(path)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        async with Store(path):
            pass


async def test_a_full_disk_is_reported_and_what_was_stored_stays(tmp_path: Path, store: Store) -> None:
    await store.accept(plain(1))
    await store.check()
    # SQLite's own limit ends in the same error as a disk without space.
    await asyncio.wrap_future(store._thread.submit(store._file.select, "PRAGMA max_page_count = 1", ()))
    long = plain(2, source=Source("text", text="x" * 100_000))
    with pytest.raises(StoreFull, match="No space"):
        await store.accept(long)
    await asyncio.wrap_future(store._thread.submit(store._file.select, "PRAGMA max_page_count = 100000", ()))
    await store.accept(long)
    await store.check()
    assert [segment.id for segment in (await store.list("demo")).segments] == ["seg_0002", "seg_0001"]


async def test_cancelled_while_it_is_accepted_it_is_not_kept(tmp_path: Path, store: Store) -> None:
    for turns in range(8):
        segment = plain(turns)
        task = asyncio.create_task(store.accept(segment))
        for _ in range(turns):
            await asyncio.sleep(0)
        if task.cancel():
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(SegmentNotFound):
                await store.get(segment.id)


async def test_many_at_once_are_all_kept(store: Store) -> None:
    await asyncio.gather(*(store.accept(plain(number)) for number in range(50)))
    later = AT + timedelta(seconds=1)
    events = await asyncio.gather(
        *(
            store.record(plain(number, state=State.FINISHED, finished_at=later), event(plain(number)))
            for number in range(50)
        )
    )
    assert len({event.seq for event in events}) == 50
    assert await store.unfinished() == []


def removed(path: Path) -> None:
    path.rename(path.with_name("away"))


def replaced(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    copy.rename(path)


def without_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def without_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def in_another_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("before"))
    path.parent.mkdir()


@pytest.mark.parametrize("gone", [removed, replaced, without_log, without_folder, in_another_folder])
async def test_a_store_that_was_removed_or_replaced_takes_nothing(
    tmp_path: Path, gone: Callable[[Path], object]
) -> None:
    path = tmp_path / "data" / "store.db"
    async with Store(path) as store:
        await store.accept(plain(1))
        await store.check()
        gone(path)
        for refused in (store.check(), store.accept(plain(2)), store.record(plain(1), event(plain(1)))):
            with pytest.raises(StoreError, match="removed or replaced"):
                await refused
        with pytest.raises(SegmentNotFound):
            await store.get("seg_0002")


async def test_what_was_committed_into_a_removed_file_counts_as_refused(tmp_path: Path) -> None:
    async with Store(tmp_path / "store.db") as store:

        def last_moment(database: sqlite3.Connection) -> None:
            (tmp_path / "store.db").unlink()

        with pytest.raises(StoreError, match="removed or replaced"):
            await store._write(last_moment)


async def test_a_commit_waits_for_the_disk(store: Store) -> None:
    assert [tuple(row) for row in await store._select("PRAGMA synchronous")] == [(2,)]
    assert [tuple(row) for row in await store._select("PRAGMA journal_mode")] == [("wal",)]


async def test_the_log_is_written_into_the_database_when_it_has_grown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file, "LONGEST_LOG", 200_000)
    path = tmp_path / "store.db"
    log = tmp_path / "store.db-wal"
    sizes = []
    async with Store(path) as store:
        before = path.stat().st_size
        for number in range(60):
            await store.accept(plain(number, metadata={"long": "x" * 8_000}))
            sizes.append(log.stat().st_size)
        assert path.stat().st_size > before + 300_000
        assert max(sizes) < 300_000
        assert sizes[-1] < max(sizes)
    assert not log.exists()


async def test_another_program_may_read_the_database_meanwhile(store: Store, tmp_path: Path) -> None:
    await store.accept(plain(1))
    for mode in ("ro", "rw"):
        other = sqlite3.connect(f"file:{tmp_path / 'store.db'}?mode={mode}", uri=True)
        assert other.execute("SELECT count(*) FROM segments").fetchone() == (1,)
        other.close()
        await store.check()


async def test_a_program_that_writes_to_the_database_is_noticed(store: Store, tmp_path: Path) -> None:
    await store.accept(plain(1))
    other = sqlite3.connect(tmp_path / "store.db")
    other.execute("DELETE FROM segments")
    other.commit()
    other.close()
    for refused in (store.check(), store.accept(plain(2)), store.purge("seg_0001")):
        with pytest.raises(StoreError, match="changed by another program"):
            await refused
