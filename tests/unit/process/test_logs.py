"""Services log to stderr alone; LiveKit's own messages show only when somebody asks for them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from mouthpiece.process.logs import set_up_service_logs

NAMES = ("", "livekit", "mouthpiece_example", "mouthpiece_example.part", "other")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in NAMES}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def shown(level: int) -> set[str]:
    return {name for name in NAMES if logging.getLogger(name).isEnabledFor(level)}


def test_the_package_is_heard_and_others_only_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_service_logs("mouthpiece_example", verbose=False)
    assert shown(logging.INFO) == {"mouthpiece_example", "mouthpiece_example.part"}
    assert shown(logging.ERROR) == set(NAMES) - {"livekit"}
    logging.getLogger("mouthpiece_example.part").info("ready")
    assert capsys.readouterr().err.endswith("INFO    mouthpiece_example.part: ready\n")


def test_verbose_shows_livekit_too() -> None:
    set_up_service_logs("mouthpiece_example", verbose=True)
    assert shown(logging.INFO) == set(NAMES)
    assert shown(logging.DEBUG) == {"mouthpiece_example", "mouthpiece_example.part"}


def test_there_is_one_handler_however_often_logs_are_set_up() -> None:
    for _ in range(2):
        set_up_service_logs("mouthpiece_example", verbose=False)
    assert len(logging.getLogger().handlers) == 1
