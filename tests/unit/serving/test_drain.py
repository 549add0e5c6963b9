"""When an answer that comes early is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from mouthpiece.serving.drain import DrainAfterEarlyResponse

ANSWER: list[Message] = [{"type": "http.response.start", "status": 401}, {"type": "http.response.body", "body": b"no"}]


class Client:
    """Sends ``pieces`` of a body, of which the last one is its end, or not; then it falls silent, or has ``gone``.

    What goes to and fro is noted in ``log``.
    """

    def __init__(self, *pieces: bytes, ends: bool = True, gone: bool = False, **headers: str) -> None:
        given = {"content-length": "9"} | {name.replace("_", "-"): value for name, value in headers.items()}
        self.scope: Scope = {
            "type": "http",
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
        }
        self.log: list[str] = []
        self._messages = self._all(pieces, ends, gone)

    async def receive(self) -> Message:
        message = next(self._messages, None)
        if message is None:
            await asyncio.Event().wait()
        assert message is not None
        self.log.append(f"took {message['body'].decode()}" if "body" in message else "gone")
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            end = "" if message.get("more_body") else " end"
            self.log.append(f"sent {message.get('body', b'').decode()}{end}")

    @staticmethod
    def _all(pieces: tuple[bytes, ...], ends: bool, gone: bool) -> Iterator[Message]:
        for number, piece in enumerate(pieces, 1):
            yield {"type": "http.request", "body": piece, "more_body": not (ends and number == len(pieces))}
        if gone:
            yield {"type": "http.disconnect"}


class App:
    """Answers after it has read ``reads`` messages."""

    def __init__(self, reads: int = 0) -> None:
        self._reads = reads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(self._reads):
            await receive()
        for message in ANSWER:
            await send(message)


async def log(client: Client, reads: int = 0, *, stopping: bool = False, seconds: float = 60) -> list[str]:
    stop = asyncio.Event()
    if stopping:
        stop.set()
    middleware = DrainAfterEarlyResponse(App(reads), stopping=stop, seconds=seconds, stopping_time=0.01, max_rest=4)
    await middleware(client.scope, client.receive, client.send)
    return client.log


async def test_the_answer_goes_out_at_once_and_ends_behind_the_body() -> None:
    assert await log(Client(b"a", b"b", b"c")) == ["sent no", "took a", "took b", "took c", "sent  end"]
    assert await log(Client(b"a", b"b", b"c"), reads=1) == ["took a", "sent no", "took b", "took c", "sent  end"]


async def test_an_answer_to_a_whole_request_ends_at_once() -> None:
    assert await log(Client(b"a", b"b"), reads=2) == ["took a", "took b", "sent no end"]


@pytest.mark.parametrize("length", ["", "0"])
async def test_a_request_without_a_body_is_not_asked_for_one(length: str) -> None:
    assert await log(Client(content_length=length)) == ["sent no end"]


async def test_a_body_in_chunks_is_one() -> None:
    assert (await log(Client(b"a", content_length="", transfer_encoding="chunked")))[1] == "took a"


async def test_no_more_of_a_body_is_taken_than_the_limit() -> None:
    assert await log(Client(b"aaa", b"bbb", b"ccc")) == ["sent no", "took aaa", "took bbb", "sent  end"]


async def test_a_body_that_stays_away_is_not_awaited_for_longer_than_the_limit() -> None:
    assert await log(Client(b"a", ends=False), seconds=0) == ["sent no", "took a", "sent  end"]


async def test_a_client_that_has_gone_is_not_awaited() -> None:
    assert await log(Client(gone=True)) == ["sent no", "gone", "sent  end"]
    assert await log(Client(gone=True), reads=1) == ["gone", "sent no end"]


async def test_who_asks_before_it_sends_is_not_asked_to() -> None:
    assert await log(Client(b"a", expect="100-continue")) == ["sent no end"]
    assert (await log(Client(b"a", b"b", expect="100-continue"), reads=1))[1:] == ["sent no", "took b", "sent  end"]


async def test_a_service_that_stops_waits_for_a_shorter_time() -> None:
    assert await log(Client(b"a"), stopping=True) == ["sent no", "took a", "sent  end"]
    assert await log(Client(b"a", ends=False), stopping=True) == ["sent no", "took a", "sent  end"]
