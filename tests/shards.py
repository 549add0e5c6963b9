"""Which of the processes of ``make test`` runs what (pytest-xdist)."""

from __future__ import annotations

from typing import Any

import pytest

CHROMIUM = "tests/live/page/"
"""One shard: a Chromium without a GPU draws on most of a core, and several would take it from all that is timed."""
ORDER = (CHROMIUM, "tests/live/", "tests/loopback/", "tests/unit/")
"""What takes longest begins first, so that the processes end at about the same time."""


def place(nodeid: str) -> int:
    return next((place for place, folder in enumerate(ORDER) if nodeid.startswith(folder)), len(ORDER))


def scheduling(config: pytest.Config, log: Any) -> Any:
    """A file is one shard, and the page's tests are one; they begin in the order of the tests.

    ``--dist`` may ask for something else.
    """
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling  # an environment may run tests in one process, without it

    class ShardScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return CHROMIUM if nodeid.startswith(CHROMIUM) else nodeid.partition("::")[0]

    config.option.loadscopereorder = False
    return ShardScheduling(config, log)
