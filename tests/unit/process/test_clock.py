"""A clock that is off is named by LiveKit's own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from mouthpiece.process.clock import clock_problem, http_url

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def off(seconds: float) -> str | None:
    return clock_problem(format_datetime(NOW - timedelta(seconds=seconds), usegmt=True), NOW)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(120, "2 min ahead of LiveKit's"), (45, "45 s ahead"), (-28_800, "8.0 h behind LiveKit's"), (90_000, "25.0 h")],
)
def test_it_says_how_far(seconds: float, words: str) -> None:
    assert words in (off(seconds) or "")


@pytest.mark.parametrize("seconds", [0, 20, -29])
def test_some_seconds_are_none(seconds: float) -> None:
    assert off(seconds) is None


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 99 Nov 2026 12:00:00 GMT"])
def test_an_answer_without_a_date_says_nothing(date: str | None) -> None:
    assert clock_problem(date, NOW) is None


def test_requests_go_to_the_same_host() -> None:
    assert [http_url(url) for url in ("ws://a:1", "wss://a", "http://a", "https://a")] == [
        "http://a:1",
        "https://a",
        "http://a",
        "https://a",
    ]
