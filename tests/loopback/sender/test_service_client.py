"""What the commands say to a service: ours, another one, or none."""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mouthpiece.errors import AudioError
from mouthpiece_sender.cli.service_client import ServiceClient, ServiceError
from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.conftest import Running


@pytest.fixture(autouse=True, scope="session")
def as_a_command_at_its_start() -> None:
    """Reads the tables of the system once."""
    mimetypes.init()


@contextlib.asynccontextmanager
async def answering(status: str, body: bytes) -> AsyncIterator[str]:
    """The address of a service that answers everything so."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_file_is_handed_over_and_followed(sender: Running, tmp_path: Path) -> None:
    file = tmp_path / "hello.wav"
    await asyncio.to_thread(file.write_bytes, sound_file())
    async with ServiceClient(sender.url) as service:
        segment = await service.speak("demo", file, {"avatar": "avatar-x"})
        assert (segment["state"], segment["source"]["kind"]) == ("queued", "file")
        assert (await service.segment(segment["id"]))["id"] == segment["id"]
        assert (await service.cancel(segment["id"]))["state"] == "cancelled"
        assert (await service.finished(segment["id"]))["state"] == "cancelled"
        assert (await service.interrupt("demo", None, "keep"))["segments"] == []


async def test_a_named_pipe_is_handed_over(sender: Running, tmp_path: Path) -> None:
    """As a shell gives one with ``<(…)``: its size is not known."""
    pipe = tmp_path / "pipe"
    await asyncio.to_thread(os.mkfifo, pipe)
    threading.Thread(target=pipe.write_bytes, args=(sound_file(),), daemon=True).start()
    async with ServiceClient(sender.url) as service:
        segment = await service.speak("demo", pipe, {"avatar": "avatar-x"})
    assert segment["audio"]["duration"] is not None


@pytest.mark.parametrize(("name", "said"), [("gone.wav", "No such file"), ("", "directory")])
async def test_a_file_that_cannot_be_read_is_reported(sender: Running, tmp_path: Path, name: str, said: str) -> None:
    async with ServiceClient(sender.url) as service:
        with pytest.raises(AudioError, match=said) as caught:
            await service.speak("demo", tmp_path / name, {})
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["http://host:port", "http://127.0.0.1:99999", "http://127.0.0.1:0", "localhost:8090", "http://", "ws://host", ""],
)
async def test_a_wrong_address_is_reported(address: str) -> None:
    with pytest.raises(ServiceError, match="no address of a service"):
        async with ServiceClient(address):
            pass


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("200 OK", b"<html>hello</html>", "answered 200, and not as a Mouthpiece service does"),
        ("200 OK", b'["a list"]', "answered 200, and not as"),
        ("200 OK", b'{"status": "fine"}', "answered 200, and not as"),
        ("200 OK", b"", "answered 200, and not as"),
        ("200 OK", b"[" * 100_000, "answered 200, and not as"),
        ("502 Bad Gateway", b'["a list"]', "answered 502, and not as"),
        ("502 Bad Gateway", b"\xff\xfe", "answered 502, and not as"),
        ("502 Bad Gateway", b"{}", "answered 502, and not as"),
        ("307 Temporary Redirect", b"", "answered 307, and not as"),
        ("409 Conflict", b'{"title": "Two avatars"}', "Two avatars"),
        ("401 Unauthorized", b'{"title": "A key", "detail": "A key is needed."}', "A key is needed. Set MOUTHPIECE_"),
    ],
)
async def test_whatever_is_answered_there_is_one_sentence(status: str, body: bytes, said: str) -> None:
    async with answering(status, body) as url, ServiceClient(url) as service:
        calls: list[Any] = [service.rooms(), service.segment("seg_1"), service.interrupt("demo", None, "keep")]
        for call in calls:
            with pytest.raises(ServiceError) as caught:
                await call
            assert said in str(caught.value)


async def test_a_proxy_is_not_asked_for_this_machine(sender: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # discard: nobody is there
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with ServiceClient(sender.url) as service:
        assert (await service.rooms())["rooms"] == []
    async with ServiceClient("http://service.example") as service:
        assert service._client._http.trust_env
