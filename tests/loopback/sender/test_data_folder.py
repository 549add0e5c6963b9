"""A data folder that is removed, replaced or overwritten while the service runs."""

from __future__ import annotations

import os
import re
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


def a_copy_over_the_database(data: Path) -> None:
    (data / "mouthpiece.db").write_bytes((data / "mouthpiece.db").read_bytes())


def an_emptied_database(data: Path) -> None:
    os.truncate(data / "mouthpiece.db", 0)


def an_emptied_log(data: Path) -> None:
    os.truncate(data / "mouthpiece.db-wal", 0)


def without_sounds(data: Path) -> None:
    shutil.rmtree(data / "sounds")


def other_sounds(data: Path) -> None:
    (data / "sounds").rename(data / "before")
    (data / "sounds").mkdir()


@pytest.mark.parametrize(
    "gone",
    [
        *(without_folder, another_folder, without_database, another_database, without_sounds, other_sounds),
        *(a_copy_over_the_database, an_emptied_database, an_emptied_log),
    ],
)
async def test_nothing_is_accepted_into_it_and_readyz_says_so(sender: Running, gone: Callable[[Path], None]) -> None:
    await sender.speak("demo", sound_file())
    assert (await sender.client.get("/readyz")).status_code == 200
    gone(sender.data)
    ready = await sender.client.get("/readyz")
    refused = await sender.client.post("/v1/rooms/demo/segments", content=sound_file())
    for answer in (ready, refused):
        assert (answer.status_code, answer.json()["type"]) == (503, "store")
        assert re.search("removed or replaced|changed by another program", answer.json()["detail"])
        assert re.search("restart the service|start it with a data folder", answer.json()["detail"])
    assert (await sender.client.get("/healthz")).status_code == 200
