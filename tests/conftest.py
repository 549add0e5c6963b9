"""Fixtures that every ring uses, and how ``make test`` shares the tests out among processes.

A blocked event loop fails a test; a warning is an error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

from tests.certificates import certificates_read_once
from tests.forked_starts import ForkedStarts, forked_starts
from tests.shards import place, scheduling

# A busy machine delays an example: it does not fail for that.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place(item.nodeid))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print where the time went, where several processes ran."""
    spent: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if isinstance(report, pytest.TestReport) and hasattr(report, "node"):
            ring, *folder = report.nodeid.partition("::")[0].split("/")[1:-1]
            spent[report.node.gateway.id]["/".join([ring, *folder[:1]])] += report.duration
    for process, seconds in sorted(spent.items()):
        folders = ", ".join(f"{name} {took:.0f}" for name, took in sorted(seconds.items()) if took >= 1)
        terminalreporter.write_line(f"{process}: {sum(seconds.values()):.0f} s ({folders})")


@pytest.fixture(scope="session", autouse=True)
def commands_begin_with_their_imports_done() -> Iterator[ForkedStarts]:
    with forked_starts() as starts:
        yield starts


@pytest.fixture
def processes_start_anew(commands_begin_with_their_imports_done: ForkedStarts) -> Iterator[None]:
    """For a test of a start, or of what a process is called."""
    commands_begin_with_their_imports_done.off = True
    yield
    commands_begin_with_their_imports_done.off = False


@pytest.fixture(scope="session", autouse=True)
def clients_read_certificates_once() -> Iterator[None]:
    with certificates_read_once():
        yield


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop() -> Iterator[BlockBuster]:
    with blockbuster_ctx(["mouthpiece", "mouthpiece_agents", "mouthpiece_avatar", "mouthpiece_sender"]) as guard:
        # as the start of a process by `subprocess` may
        guard.functions["socket.socket.recv"].can_block_in("tests/forked_starts.py", {"fork", "ready"})
        yield guard
