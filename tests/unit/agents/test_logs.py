"""The worker's log lines: no tracebacks, and only fields that hold nothing private."""

import json
import logging
import signal
import sys

import pytest

from mouthpiece.process.json_logs import JsonFormatter
from mouthpiece_agents.logs import FIELDS, ConnectionAttempts, LineFormatter, StoppedSpareProcesses


def record(message: str = "job ends", *, failed: bool = False, **extra: object) -> logging.LogRecord:
    error = None
    if failed:
        try:
            raise RuntimeError("first line\nsecond line")
        except RuntimeError:
            error = sys.exc_info()
    made = logging.LogRecord("mouthpiece_agents.job", logging.ERROR, __file__, 1, message, (), error)
    made.__dict__.update(extra)
    return made


def test_a_line_holds_the_message_and_the_fields_that_are_not_private() -> None:
    line = LineFormatter(tracebacks=False).format(record(room="demo", identity="anna", token="ey.x.y"))
    assert line.endswith("ERROR   job ends  room=demo")


@pytest.mark.parametrize("formatter", [LineFormatter(tracebacks=False), JsonFormatter(FIELDS, tracebacks=False)])
def test_an_exception_is_one_line(formatter: logging.Formatter) -> None:
    line = formatter.format(record(failed=True))
    assert "job ends: RuntimeError: first line" in line
    assert "Traceback" not in line
    assert "second line" not in line


@pytest.mark.parametrize("formatter", [LineFormatter(tracebacks=True), JsonFormatter(FIELDS, tracebacks=True)])
def test_debugging_shows_the_traceback(formatter: logging.Formatter) -> None:
    assert "Traceback" in formatter.format(record(failed=True))


def test_json_is_one_object_a_line() -> None:
    value = json.loads(JsonFormatter(FIELDS, tracebacks=False).format(record(room="demo")))
    assert (value["level"], value["message"], value["room"]) == ("error", "job ends", "demo")


def test_a_livekit_that_stays_away_is_logged_seldom() -> None:
    attempts = ConnectionAttempts()
    logged = [number for number in range(1, 100) if attempts.filter(record(retry_count=number))]
    assert logged == [1, 2, 3, 30, 60, 90]
    assert attempts.filter(record())


def test_a_spare_process_that_was_stopped_while_it_started_is_no_error() -> None:
    spares = StoppedSpareProcesses()
    assert not spares.filter(record(f"process exited with non-zero exit code {-signal.SIGUSR1}"))
    assert spares.filter(record("process exited with non-zero exit code -9"))
    assert spares.filter(record("process exited with non-zero exit code 1"))
