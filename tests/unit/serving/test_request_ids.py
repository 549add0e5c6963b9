"""Each request has an id, in the log and in the response."""

from __future__ import annotations

import pytest

from mouthpiece.process.log_context import REQUEST
from mouthpiece.serving.request_guard import Message, Receive, Scope, Send
from mouthpiece.serving.request_ids import RequestIds


async def answered(*headers: tuple[bytes, bytes]) -> tuple[str | None, list[tuple[bytes, bytes]]]:
    """The id that the application saw, and the headers of its response."""
    seen: list[str | None] = []
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(REQUEST.get())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await RequestIds(app)({"type": "http", "headers": list(headers)}, receive, send)
    assert REQUEST.get() is None
    return seen[0], sent[0]["headers"]


async def test_an_id_of_the_callers_own_is_kept_and_sent_back() -> None:
    seen, headers = await answered((b"x-request-id", b"order-17.a"))
    assert seen == "order-17.a"
    assert headers == [(b"a", b"b"), (b"x-request-id", b"order-17.a")]


@pytest.mark.parametrize("given", [[], [b"two words"], [b"x" * 65], [b'"}{'], [b"one", b"two"], [b""]])
async def test_another_one_is_made_where_it_is_missing_or_could_be_anything(given: list[bytes]) -> None:
    seen, headers = await answered(*((b"x-request-id", value) for value in given))
    assert seen is not None
    assert seen.startswith("req_")
    assert headers[-1] == (b"x-request-id", seen.encode())
