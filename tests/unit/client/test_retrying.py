"""When a call is sent again; server-sent events; webhooks."""

from __future__ import annotations

import time

import httpx
import pytest

from mouthpiece.client import ServiceUnavailable, WrongSignature, verify_webhook
from mouthpiece.client.calls import failure_of
from mouthpiece.client.event_parser import EventParser
from mouthpiece.client.retrying import Retrying
from mouthpiece.webhook_signature import signed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_failed_connection_is_tried_again_ever_later_until_the_time_is_over() -> None:
    retrying, away = Retrying(until=10), ServiceUnavailable("away")
    assert [retrying.after(away, 0) for _ in range(7)] == [0.25, 0.5, 1, 2, 4, 5, 5]
    assert retrying.after(away, 9) is None
    retrying.succeeded(100, 10)
    assert retrying.after(away, 100) == 0.25


def problem(status: int, retryable: object = None, after: str | None = None) -> httpx.Response:
    headers = {"Content-Type": "application/problem+json"} | ({} if after is None else {"Retry-After": after})
    body = {"type": "slug", "detail": "Why.", "status": status, "retryable": retryable}
    return httpx.Response(status, headers=headers, json=body)


@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        (problem(503, True, "5"), [5, 5, 5]),
        (problem(503, True, "1"), [1, 1, 1]),
        (problem(409, True), [0.25, 0.5, 1]),
        (problem(503, True, "soon"), [0.25, 0.5, 1]),
        (problem(503, True, "30"), [None]),
        (problem(503, False, "5"), [None]),
        (problem(400), [None]),
        (problem(500, "yes"), [None]),
        (httpx.Response(502, text="<html>Bad Gateway</html>"), [0.25, 0.5, 1]),
        (httpx.Response(404, text="<html>Not Found</html>"), [None]),
        (httpx.Response(200, text="<html>Welcome</html>"), [None]),
    ],
)
def test_an_answer_is_tried_again_where_it_says_that_it_may_succeed_later(
    answer: httpx.Response, waits: list[float | None]
) -> None:
    retrying = Retrying(until=10)
    assert [retrying.after(failure_of(answer), 0) for _ in waits] == waits


def test_a_stream_that_is_cut_goes_on_after_the_last_whole_event() -> None:
    parser = EventParser(None)
    for line in ("retry: 1000", "id: 6", ""):
        assert parser.line(line) is None
    assert parser.headers["Last-Event-ID"] == "6"  # what happened before the first event is not missed
    lines = ["", ": still here", "", "id: 7", "event: segment.queued", 'data: {"id":', 'data: "7"}', ""]
    assert [event for line in lines if (event := parser.line(line))] == [{"id": "7"}]
    for line in ("id: 8", 'data: {"id": "8"}'):
        assert parser.line(line) is None
    parser.restart()
    assert parser.headers["Last-Event-ID"] == "7"
    assert [parser.line(line) for line in ("event: gap", 'data: {"type": "gap"}', "")][-1] == {"type": "gap"}
    assert parser.last == "7"


def test_a_webhook_is_verified_and_read_in_one_call() -> None:
    body = b'{"id": "7", "type": "segment.finished"}'
    headers = {name.title(): value for name, value in signed(SECRET, "evt_7", int(time.time()), body).items()}
    assert verify_webhook(SECRET, headers, body)["type"] == "segment.finished"
    with pytest.raises(WrongSignature):
        verify_webhook(SECRET, headers, body + b" ")
