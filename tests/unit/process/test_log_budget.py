"""What is written into the log is bounded, and says what it leaves out."""

from __future__ import annotations

import logging

import pytest

from mouthpiece.process.logs import BURST, BYTES_A_SECOND, LINES_OF_A_KIND, BoundedHandler, LogBudget


def test_a_minute_of_complaints_takes_less_than_100_kilobytes() -> None:
    now = 0.0
    budget = LogBudget(clock=lambda: now)
    written = 0
    for number in range(600_000):
        now = number / 10_000
        if budget.take(f"kind {number % 400}", 120) is not None:
            written += 120
    assert written <= BURST + 60 * BYTES_A_SECOND < 100_000


def test_a_flood_of_one_kind_hides_no_other() -> None:
    budget = LogBudget(clock=lambda: 0.0)
    admitted = [budget.take("noise", 100) for _ in range(1000)]
    assert admitted.count(0) == LINES_OF_A_KIND
    assert budget.take("something else", 100) == 1000 - LINES_OF_A_KIND
    assert budget.take("something else", 100) == 0


def test_the_next_line_says_how_many_were_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("service")
    logger.addHandler(BoundedHandler(LogBudget(clock=lambda: 0.0)))
    for number in range(100):
        logger.warning("refused %d", number)
    logger.warning("ready")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["refused 0", "refused 1"]
    assert lines[LINES_OF_A_KIND:] == ["ready (80 lines before it were left out)"]


def test_one_line_is_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("service")
    logger.addHandler(BoundedHandler(LogBudget(clock=lambda: 0.0)))
    logger.warning("x" * 1_000_000)
    assert len(capsys.readouterr().err) < 10_000
