"""Keys in files: what is taken from them, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece_sender.key_files import KeyFile, KeyFiles, api_keys_in, livekit_key_in
from tests.loopback.sender.conftest import Running, Start


def test_a_file_of_api_keys_has_one_a_line() -> None:
    assert api_keys_in("# ours\none\n\n  two:shop-  \n") == ["one", "two:shop-"]


@pytest.mark.parametrize("text", ["a-key-of-16-char:", "a-key-of-16-char\nfifteen-charact"])
def test_a_key_that_opens_too_much_or_is_guessed_too_soon_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no prefix after|fewer than 16"):
        api_keys_in(text, 16)


@pytest.mark.parametrize("text", ["", "# all of them are gone\n", "one\n:shop-\n", "one two\n"])
def test_a_file_without_a_key_or_with_half_a_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key"):
        api_keys_in(text)


@pytest.mark.parametrize("text", ["new: secret\nold: other\n", "# keys\n'new': \"secret\"", "\nnew:secret\n"])
def test_the_first_pair_of_a_file_of_livekit_counts(text: str) -> None:
    assert livekit_key_in(text) == ("new", "secret")


@pytest.mark.parametrize("text", ["", "new", "new:", ": secret", "#new: secret"])
def test_a_file_without_a_pair_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key: secret"):
        livekit_key_in(text)


class Read:
    """What was taken from a file that is watched."""

    def __init__(self, path: Path) -> None:
        self.contents: asyncio.Queue[str] = asyncio.Queue()
        self.asked = asyncio.Event()
        self.path = path
        self.files = KeyFiles([KeyFile("KEYS", path, self._take)], self.asked, every=0.01)

    def _take(self, text: str) -> str:
        self.contents.put_nowait(text)
        if text == "wrong":
            raise ValueError("this is wrong")
        return "a content"

    async def next(self) -> str:
        async with asyncio.timeout(5):
            return await self.contents.get()


@asynccontextmanager
async def watched(path: Path) -> AsyncIterator[Read]:
    read = Read(path)
    await read.files.read()
    watching = asyncio.create_task(read.files.run())
    yield read
    watching.cancel()
    await asyncio.wait([watching])


async def test_a_file_is_read_again_when_it_changes_or_somebody_asks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "keys").write_text("one")
    async with watched(tmp_path / "keys") as read:
        assert await read.next() == "one"
        (tmp_path / "other").write_text("two")
        (tmp_path / "other").rename(tmp_path / "keys")  # as a mounted secret is replaced
        assert await read.next() == "two"
        (tmp_path / "keys").unlink()
        await asyncio.sleep(0.05)
        (tmp_path / "keys").write_text("wrong")
        while await read.next() != "wrong":
            pass  # a file that was caught while it was being written
        read.asked.set()
        assert await read.next() == "wrong"
    assert "the file cannot be read" in caplog.text
    assert "what was known stays: this is wrong" in caplog.text


async def test_a_file_that_is_wrong_at_the_start_is_named(tmp_path: Path) -> None:
    for content in (None, b"wrong", b"\xff", b"x" * 1_000_001):
        if content is not None:
            (tmp_path / "keys").write_bytes(content)
        with pytest.raises(ConfigurationError, match="KEYS: "):
            async with watched(tmp_path / "keys"):
                pass


async def answers(sender: Running, key: str) -> int:
    given = {"Authorization": f"Bearer {key}"}
    return (await sender.client.get("/v1/rooms/demo/segments", headers=given)).status_code


async def test_keys_of_the_file_count_beside_those_of_the_settings(tmp_path: Path, start: Start) -> None:
    (tmp_path / "keys").write_text("one\ntwo:shop-\n")
    async with start(api_keys=["own"], api_keys_file=tmp_path / "keys") as sender:
        assert [await answers(sender, key) for key in ("own", "one", "two", "three")] == [200, 200, 403, 401]


async def test_livekit_is_spoken_to_with_the_key_of_the_file(tmp_path: Path, start: Start) -> None:
    (tmp_path / "keys").write_text("new: a-secret-of-thirty-two-characters\n")
    async with start(livekit_api_key="", livekit_api_secret="", livekit_key_file=tmp_path / "keys") as sender:
        assert sender.dependencies.livekit is not None
        assert sender.dependencies.livekit.access.api_key == "new"
        assert (await sender.client.post("/v1/rooms", json={"room": "demo"})).status_code == 201
