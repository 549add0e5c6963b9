"""Lines as JSON: an object each, about a segment and a request, whatever is in the message."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest

from mouthpiece.process.json_logs import MOST_OF_A_LINE, JsonFormatter, LogFormat
from mouthpiece.process.log_context import about, current, shown_id
from mouthpiece.process.logs import LINES_OF_A_KIND, set_up_service_logs


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def json_log() -> logging.Logger:
    set_up_service_logs("mouthpiece_json", verbose=False, form=LogFormat.JSON, fields=("state",))
    return logging.getLogger("mouthpiece_json.part")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_names_the_segment_and_the_request_that_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    log = json_log()
    log.info("before")
    with about("seg_1", request="req_1"):
        log.info("a segment ended", extra={"state": "finished", "identity": "anna"})
    log.info("after")
    before, line, after = lines(capsys)
    assert (line["segment"], line["request"], line["state"]) == ("seg_1", "req_1", "finished")
    assert (line["level"], line["logger"], line["message"]) == ("info", "mouthpiece_json.part", "a segment ended")
    assert "anna" not in str(line)
    assert not {"segment", "request"} & (before.keys() | after.keys())


async def test_a_task_is_about_what_started_it_and_another_one_is_not() -> None:
    async def seen() -> dict[str, str]:
        await asyncio.sleep(0)
        return current()

    with about("seg_1"):
        inside = asyncio.create_task(seen())
    outside = asyncio.create_task(seen())
    assert (await inside, await outside) == ({"segment": "seg_1"}, {})


@pytest.mark.parametrize("message", ["\x00" * 100_000, "ü" * 100_000, 'quoted "words"\nand a second line'])
def test_a_line_is_one_object_however_long_its_message_is(message: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = json_log()
    log.error(message, extra={"state": message})
    written = capsys.readouterr().err
    assert len(written) <= MOST_OF_A_LINE + 1
    assert json.loads(written)["level"] == "error"


def test_an_exception_has_its_traceback_unless_that_is_too_long() -> None:
    formatter = JsonFormatter(tracebacks=True)

    def failed(size: int) -> dict[str, str]:
        try:
            raise ValueError("x" * size)
        except ValueError as error:
            record = logging.LogRecord("name", logging.ERROR, "", 1, "it broke", (), (type(error), error, None))
        found: dict[str, str] = json.loads(formatter.format(record))
        return found

    assert "ValueError: x" in failed(1)["traceback"]
    assert failed(1)["message"] == "it broke: ValueError: x"
    assert "traceback" not in failed(50_000)


def test_lines_that_were_left_out_are_counted_in_the_next_one(capsys: pytest.CaptureFixture[str]) -> None:
    log = json_log()
    for _ in range(20 * LINES_OF_A_KIND + 5):
        log.info("the same")
    log.info("another")
    written = lines(capsys)
    assert len(written) == 20 * LINES_OF_A_KIND + 1
    assert written[-1]["left_out"] == 5


@pytest.mark.parametrize(
    ("given", "shown"), [("seg_0aB-1", "seg_0aB-1"), ("words of a person", None), ("x" * 65, None), (None, None)]
)
def test_an_id_that_another_gave_is_shown_only_if_it_is_one(given: str | None, shown: str | None) -> None:
    assert shown_id(given) == shown
