"""When a call is sent again; server-sent events; webhooks."""

from __future__ import annotations

import time

import httpx
import pytest

from mouthpiece.client import WrongSignature, verify_webhook
from mouthpiece.client.event_parser import EventParser
from mouthpiece.client.retrying import Retrying
from mouthpiece.webhook_signature import signed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_failed_connection_is_tried_again_ever_later_until_the_time_is_over() -> None:
    retrying = Retrying(until=10)
    assert [retrying.after_failure(0) for _ in range(7)] == [0.25, 0.5, 1, 2, 4, 5, 5]
    assert retrying.after_failure(9) is None
    retrying.succeeded(100, 10)
    assert retrying.after_failure(100) == 0.25


def test_an_answer_is_tried_again_where_the_service_says_when() -> None:
    retrying = Retrying(until=10)
    assert retrying.after_answer(httpx.Response(503, headers={"Retry-After": "5"}), 0) == 5
    assert retrying.after_answer(httpx.Response(503, headers={"Retry-After": "30"}), 0) is None
    assert retrying.after_answer(httpx.Response(503), 0) is None
    assert retrying.after_answer(httpx.Response(400), 0) is None
    assert retrying.after_answer(httpx.Response(503, headers={"Retry-After": "soon"}), 0) is None


def test_a_stream_that_is_cut_goes_on_after_the_last_whole_event() -> None:
    parser = EventParser(None)
    lines = ["retry: 1000", "", ": still here", "", "id: 7", "event: segment.queued", 'data: {"id":', 'data: "7"}', ""]
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
