"""What a request may bring, and what every answer has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from mouthpiece.errors import MouthpieceError
from mouthpiece.serving.byte_budget import ByteBudget
from mouthpiece.serving.connections import ConnectionLimits, Connections
from mouthpiece.serving.json_text import JsonBounds, NoObject, TooManyKeys, parse_object
from mouthpiece.serving.request_guard import MOST_HEADER, MOST_QUERY, App, Message, Receive, RequestGuard, Scope, Send

STATUS = {"request-timeout": 408, "too-large": 413, "header-too-large": 431}


def answer(error: MouthpieceError) -> App:
    return PlainTextResponse(error.slug, STATUS[error.slug])


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, and answers with its length."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await PlainTextResponse(str(size))(scope, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("no key", 401)(scope, receive, send)


async def ask(
    app: App,
    pieces: Sequence[bytes],
    *,
    ends: bool = True,
    path: str = "/v1/rooms",
    query: bytes = b"",
    headers: Sequence[tuple[bytes, bytes]] = ((b"transfer-encoding", b"chunked"),),
    **options: Any,
) -> tuple[int, dict[bytes, bytes], bytes]:
    """The status, headers and body of the answer to a request whose body comes in ``pieces``, and ends or stalls."""
    waiting = [
        {"type": "http.request", "body": piece, "more_body": not ends or index < len(pieces) - 1}
        for index, piece in enumerate(pieces)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": query,
        "headers": list(headers),
        "client": ("127.0.0.1", 1),
    }
    guard = RequestGuard(app, connections=Connections(ConnectionLimits()), answer=answer, **options)
    await guard(scope, receive, send)
    assert sent[0]["type"] == "http.response.start"
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])


async def test_every_answer_says_not_to_guess_and_those_of_the_api_not_to_keep_them() -> None:
    for app in (echo, refuse):
        _, headers, _ = await ask(app, [b"x"])
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert headers[b"cache-control"] == b"no-store"
    _, headers, _ = await ask(echo, [b"x"], path="/assets/main.js")
    assert b"cache-control" not in headers
    assert headers[b"x-content-type-options"] == b"nosniff"


async def test_a_body_that_stalls_is_answered() -> None:
    status, _, body = await ask(echo, [b"x" * 10], ends=False, stall_time=0.01)
    assert (status, body) == (408, b"request-timeout")


async def test_a_body_that_comes_is_read_to_its_end() -> None:
    status, _, body = await ask(echo, [b"x" * 2000] * 5, stall_time=5)
    assert (status, body) == (200, b"10000")


@pytest.mark.parametrize("headers", [((b"transfer-encoding", b"chunked"),), ((b"content-length", b"600000000"),)])
async def test_a_body_that_is_too_large_is_refused_by_its_length_or_by_what_came(
    headers: Sequence[tuple[bytes, bytes]],
) -> None:
    status, _, body = await ask(echo, [b"x" * 40_000] * 2, headers=headers, max_body=65_536)
    assert (status, body) == (413, b"too-large")


async def test_who_may_not_call_hears_that_before_the_length_counts() -> None:
    status, _, _ = await ask(refuse, [b"x"], headers=[(b"content-length", b"600000000")], max_body=65_536)
    assert status == 401


@pytest.mark.parametrize(
    "asked", [{"query": b"a&" * (MOST_QUERY // 2 + 1)}, {"headers": [(b"cookie", b"x" * (MOST_HEADER + 1))]}]
)
async def test_a_header_that_is_too_large_is_refused(asked: dict[str, Any]) -> None:
    assert (await ask(echo, [b""], **asked))[0] == 431


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{" + ", ".join(f'"k{number}": 1' for number in range(51)) + "}", TooManyKeys),
        ('{"a": {' + ", ".join(f'"k{number}": 1' for number in range(180_000)) + "}}", TooManyKeys),
        ('{"a": [' + "[]," * 10_000 + "1]}", TooManyKeys),
        ('{"a": [' + "1," * 10_000 + "1]}", TooManyKeys),
        ("[" * 5_000, ValueError),
        ("[" * 100_000, TooManyKeys),
        ('{"a":' * 100_000, ValueError),
        ("[]", NoObject),
        ("NaN", ValueError),
    ],
)
def test_json_is_bounded(text: str, error: type[ValueError]) -> None:
    with pytest.raises(error):
        parse_object(text)


def test_a_text_full_of_quotation_marks_is_text() -> None:
    assert parse_object('{"text": "' + '\\"' * 20_000 + '"}') == {"text": '"' * 20_000}


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_what_is_in_strings_does_not_count_wherever_the_pieces_end(size: int) -> None:
    text = json.dumps({"text": '\\", [{' * 5_000, "\\": "\\\\"}) * 100
    bounds = JsonBounds()
    for at in range(0, len(text), size):
        bounds.count(text[at : at + size])
    assert (bounds.strings, bounds.values) == (400, 200)


def test_one_caller_cannot_use_up_the_memory_of_all() -> None:
    budget = ByteBudget(100, 40)
    assert budget.take("one", 40)
    assert not budget.take("one", 1)
    assert budget.take("other", 40)
    assert budget.take("third", 20)
    assert not budget.take("fourth", 1)
    budget.give("one", 40)
    assert budget.take("fourth", 40)
    assert budget.held == 100
