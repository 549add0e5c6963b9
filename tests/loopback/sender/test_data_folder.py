"""A data folder that is removed or replaced while the service runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running


def without_folder(data: Path) -> None:
    shutil.rmtree(data)


def another_folder(data: Path) -> None:
    data.rename(data.with_name("before"))
    (data / "sounds").mkdir(parents=True)


def without_database(data: Path) -> None:
    (data / "mouthpiece.db").unlink()


def another_database(data: Path) -> None:
    shutil.copy(data / "mouthpiece.db", data / "copy")
    (data / "copy").rename(data / "mouthpiece.db")


def without_sounds(data: Path) -> None:
    shutil.rmtree(data / "sounds")


def other_sounds(data: Path) -> None:
    (data / "sounds").rename(data / "before")
    (data / "sounds").mkdir()


@pytest.mark.parametrize(
    "gone", [without_folder, another_folder, without_database, another_database, without_sounds, other_sounds]
)
async def test_nothing_is_accepted_into_it_and_readyz_says_so(sender: Running, gone: Callable[[Path], None]) -> None:
    await sender.speak("demo", sound_file())
    assert (await sender.client.get("/readyz")).status_code == 200
    gone(sender.data)
    ready = await sender.client.get("/readyz")
    refused = await sender.client.post("/v1/rooms/demo/segments", content=sound_file())
    for answer in (ready, refused):
        assert (answer.status_code, answer.json()["type"]) == (503, "store")
        assert "removed or replaced" in answer.json()["detail"]
        assert "restart the service" in answer.json()["detail"]
    assert (await sender.client.get("/healthz")).status_code == 200
