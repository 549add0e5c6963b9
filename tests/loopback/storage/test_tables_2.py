"""The data folder that the tables of version 2 held, before 0.2.0 was released (commit 75ebe4c), killed with its log
still unread: a segment in each state, a paused room, idempotency keys, and the sounds of those that had not ended.
"""

from __future__ import annotations

import asyncio
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mouthpiece.segments import AttemptState, EndedBy, State
from mouthpiece_sender.storage.backup import back_up, restore
from mouthpiece_sender.storage.journal import KnownKey
from mouthpiece_sender.storage.store import Store
from tests.loopback.sender.conftest import Start, running

FOLDER = Path(__file__).parent
WRITTEN = datetime(2026, 11, 29, 10, tzinfo=UTC)


def unpacked(archive: str, data: Path) -> Path:
    with zipfile.ZipFile(FOLDER / archive) as folder:
        folder.extractall(data)
    return data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return unpacked("data_of_tables_2.zip", tmp_path / "data")


@pytest.fixture
def start(tmp_path: Path, data: Path) -> Start:
    """For services over that folder."""
    return lambda **changes: running(tmp_path, **changes)


async def test_every_segment_is_listed_as_it_was(data: Path) -> None:
    async with Store(data / "mouthpiece.db") as store:
        listed = (await store.list("demo", limit=100)).segments[::-1]
        (paused,) = (await store.list("held")).segments
        assert await store.paused_rooms() == ["held"]
        scope = "holder POST /v1/rooms/demo/segments"
        assert await store.known_key(scope, "order-1", WRITTEN) == KnownKey(listed[0].id, "f" * 64)
        assert (await store.list("demo", tag="order-1")).segments == [listed[0]]
    assert [segment.state for segment in listed] == [
        *(State.FINISHED, State.INTERRUPTED, State.CANCELLED, State.EXPIRED, State.IGNORED, State.FAILED),
        *(State.UNKNOWN, State.PLAYING, State.QUEUED, State.QUEUED, State.QUEUED, State.QUEUED),
    ]
    finished, interrupted, superseded = listed[:3]
    assert (finished.tag, finished.metadata) == ("order-1", {"shop": "Lyon"})
    assert (interrupted.ended_by, superseded.ended_by) == (EndedBy.CALLER, EndedBy.SUPERSEDED)
    attempts = [(one.number, one.state, one.position, one.session) for one in interrupted.attempts]
    assert attempts == [(1, AttemptState.INTERRUPTED, 0.2, "PA_1")]
    assert (paused.state, paused.position) == (State.PAUSED, 0.1)


async def test_a_service_goes_on_with_it(start: Start) -> None:
    async with start() as sender:
        listed = (await sender.client.get("/v1/rooms/demo/segments")).json()["segments"][::-1]
        assert [one["state"] for one in listed[-4:]] == ["queued"] * 4
        assert (await sender.client.get("/v1/rooms/held/segments", params={"state": "paused"})).json()["segments"]
        assert sender.dependencies.gateway.is_paused("held")
        said = await sender.client.post("/v1/rooms/demo/segments", json={"text": "And on."})
        assert said.status_code == 202


@pytest.mark.parametrize("archive", ["data_of_version_0_1.zip", "data_of_tables_2.zip"])
async def test_a_folder_of_an_older_version_is_backed_up_and_restored_paused(tmp_path: Path, archive: str) -> None:
    old = await asyncio.to_thread(unpacked, archive, tmp_path / "old")
    made = await asyncio.to_thread(back_up, old, tmp_path / "copy")
    restored, _ = await asyncio.to_thread(restore, tmp_path / "copy", tmp_path / "new", paused=True)
    assert (restored.segments, restored.waiting, restored.sounds) == (made.segments, made.waiting, made.sounds)
    async with Store(tmp_path / "new" / "mouthpiece.db") as store:
        waiting = await store.unfinished()
        assert len(waiting) == made.waiting
        assert {*await store.paused_rooms()} == {segment.room for segment, _ in waiting}
