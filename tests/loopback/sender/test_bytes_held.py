"""What a body that stalls holds in memory, by the objects that are alive: not by the memory of the process."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from mouthpiece.serving.byte_budget import ByteBudget
from mouthpiece.serving.connections import MOST_READ, ConnectionLimits, Connections, guarded
from mouthpiece_sender.api.bodies.registry import SHORT
from mouthpiece_sender.api.callers import Caller
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.storage.spool import BATCH, MOST_HELD, Spool
from tests.loopback.sender.conftest import Running

FORM = b'--b\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: audio/wav\r\n\r\n'


BLOCKS = """
import ctypes
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "a b c d mapped e f g free h".split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
from mouthpiece.process.allocator import RETURNED, return_large_blocks
return_large_blocks()
bytearray(4_000_000)  # freed: the C library's own threshold would be as high as this from now on
kept, before = [], libc.mallinfo2()
large = [(bytearray(RETURNED), kept.append(bytearray(4000))) for _ in range(400)]
assert libc.mallinfo2().mapped - before.mapped > 300 * RETURNED  # the first fill holes
del large
after = libc.mallinfo2()
assert after.mapped == before.mapped
assert after.free - before.free < 4_000_000
"""


class Piece(bytearray):
    """Bytes that a weak reference can watch."""


class Stalling:
    """A request whose body comes in ``pieces``, and stalls."""

    def __init__(self, content_type: bytes, pieces: list[bytes]) -> None:
        self.held: list[weakref.ref[Piece]] = []
        self.stalled = asyncio.Event()
        self.left = list(pieces)
        headers = [(b"content-type", content_type)] if content_type else []
        self.request = Request(
            {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}, self._receive
        )

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self.left:
            self.stalled.set()
            await asyncio.Event().wait()
        piece = Piece(self.left.pop(0))
        self.held.append(weakref.ref(piece))
        return {"type": "http.request", "body": piece, "more_body": True}


@pytest.mark.parametrize(
    ("content_type", "pieces"),
    [
        (b"audio/wav", [b"RIFF" + bytes(60_000), bytes(40_000)]),
        (b"audio/pcm;rate=16000;channels=1", [bytes(60_000), bytes(40_000)]),
        (b"", [b"RIFF" + bytes(60_000)]),
        (b"multipart/form-data; boundary=b", [FORM + b"RIFF" + bytes(60_000), bytes(40_000)]),
        (b"application/json", [b'{"text": "' + b"a" * 60_000, b"a" * 40_000]),
    ],
)
async def test_a_stalled_body_holds_none_of_its_pieces(
    sender: Running, content_type: bytes, pieces: list[bytes]
) -> None:
    body = Stalling(content_type, pieces)
    reading = asyncio.create_task(sender.dependencies.bodies.read(body.request, "seg_1", Caller()))
    async with asyncio.timeout(10):
        await body.stalled.wait()
    gc.collect()
    assert len(body.held) == len(pieces)
    assert [piece for piece in body.held if piece() is not None] == []
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_connection_is_read_in_small_pieces() -> None:
    sizes: list[int] = []
    ended = asyncio.Event()

    class Reads(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            sizes.append(len(data))

        def connection_lost(self, _: Exception | None) -> None:
            ended.set()

    protocol = guarded(Reads, Connections(ConnectionLimits()))
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(bytes(1_000_000))
        writer.close()
        async with asyncio.timeout(10):
            await ended.wait()
    assert sum(sizes) == 1_000_000
    assert max(sizes) <= MOST_READ


async def test_uploads_hold_no_more_than_their_part_of_the_budget(tmp_path: Path) -> None:
    budget = ByteBudget(32 * BATCH, 32 * BATCH)
    async with Spool(tmp_path / "sounds", budget=budget) as spool:
        going_on, taken = asyncio.Event(), 0

        async def arriving() -> AsyncIterator[bytes]:
            nonlocal taken
            yield bytes(BATCH - 1)
            taken += 1
            await going_on.wait()

        async with asyncio.TaskGroup() as tasks:
            stored = [tasks.create_task(spool.store(f"seg_{number}", arriving())) for number in range(12)]
            while taken < len(stored):  # noqa: ASYNC110 (there is no event for it)
                await asyncio.sleep(0.01)
            assert budget.held <= MOST_HELD
            going_on.set()
        assert {task.result().size for task in stored} == {BATCH - 1}
        assert budget.held == 0


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf-8", '{"text": "x", ' + ",".join(f'"k{number}": 1' for number in range(180_000))),
        ("utf-16", '{"text": "x", ' + ",".join(f'"k{number}": 1' for number in range(180_000))),
        ("utf-8", '{"text": [' + "[]," * 180_000),
        ("utf-8", '{"text": ' + "[" * 180_000),
    ],
)
async def test_json_with_too_much_in_it_is_refused_while_it_arrives(sender: Running, charset: str, text: str) -> None:
    content = text.encode(charset)
    pieces = [content[at : at + SHORT] for at in range(0, len(content), SHORT)]
    body = Stalling(f"application/json; charset={charset}".encode(), pieces)
    with pytest.raises(ApiProblem) as refused:
        async with asyncio.timeout(10):
            await sender.dependencies.bodies.read(body.request, "seg_1", Caller())
    assert refused.value.slug == "bad-body"
    assert sum(map(len, pieces)) - sum(map(len, body.left)) < 200_000


async def test_python_encodings_that_take_long_are_no_charsets(sender: Running) -> None:
    body = Stalling(b"application/json; charset=punycode", [b'{"text": "x'])
    with pytest.raises(ApiProblem) as refused:
        async with asyncio.timeout(10):
            await sender.dependencies.bodies.read(body.request, "seg_1", Caller())
    assert refused.value.slug == "unsupported-format"


async def test_what_a_flood_took_goes_back_to_the_system() -> None:
    """Large blocks among small ones that stay, in a process of its own (glibc, as CI has it)."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", BLOCKS, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
