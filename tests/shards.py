"""Which of the processes of ``make test`` runs what (pytest-xdist)."""

from __future__ import annotations

from typing import Any

import pytest

UNDISTURBED = ("tests/live/page/", "tests/live/avatar/")
"""Folders that measure time and need a core for it: all of them run in one process, one after the other."""


def scheduling(config: pytest.Config, log: Any) -> Any:
    """A file is one shard, those ``UNDISTURBED`` are one together; they begin in the order of the tests."""
    from xdist.scheduler import LoadScopeScheduling  # an environment may run tests in one process, without it

    class ShardScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return "undisturbed" if nodeid.startswith(UNDISTURBED) else nodeid.partition("::")[0]

    config.option.loadscopereorder = False
    return ShardScheduling(config, log)
