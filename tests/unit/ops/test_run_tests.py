"""How ``make test`` parts the tests (tests/run.py)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.run import TIMED, exit_code, parts

ROOT = Path(__file__).parents[3]


def option(part: Sequence[str], name: str) -> str:
    """The first: further ones are the caller's."""
    return part[part.index(name) + 1]


def takes(part: Sequence[str], marks: Sequence[str]) -> bool:
    """Whether its expression, which Python reads as pytest does, holds for a test with these marks."""
    return bool(eval(option(part, "-m"), {name: name in marks for name in ("compose", "timed", "alone")}))


@pytest.mark.parametrize("marks", [(), ("timed",), ("alone",), ("timed", "alone")])
def test_every_test_without_a_docker_engine_is_in_exactly_one_part(marks: Sequence[str]) -> None:
    assert sum(takes(part, marks) for part in parts([])) == 1
    assert not any(takes(part, ["compose"]) for part in parts([]))


def test_what_takes_both_cores_has_one_process_and_the_arguments_of_the_caller_come_last() -> None:
    shared, timed, alone = parts(["-n", "1", "-k", "name"])
    assert [option(part, "-n") for part in (shared, timed, alone)] == ["2", "2", "0"]
    assert shared[-4:] == timed[: -len(TIMED)][-4:] == alone[: -len(TIMED)][-4:] == ["-n", "1", "-k", "name"]


@pytest.mark.parametrize("place", ["tests", "tests/live/sender", "tests/live/sender/test_faults.py::test_one"])
def test_what_measures_time_is_looked_for_where_the_caller_says(place: str) -> None:
    assert [part[-1] for part in parts([place])] == [place] * 3


@pytest.mark.parametrize("place", ["tests/unit", "tests/loopback/decode", "tests/unit/ops/test_run_tests.py::test_one"])
def test_where_nothing_measures_time_there_is_one_part(place: str) -> None:
    assert [option(part, "-m") for part in parts([place])] == ["not compose and not timed and not alone"]


def test_what_measures_time_lies_where_it_is_looked_for() -> None:
    marked = [
        path.relative_to(ROOT)
        for path in (ROOT / "tests").rglob("test_*.py")
        if re.search(r"pytest\.mark\.(timed|alone)", path.read_text())
    ]
    assert len(marked) > 10
    assert [path for path in marked if not any(path.is_relative_to(folder) for folder in TIMED)] == []


def test_each_part_leaves_results_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_RESULTS", "results")
    for part, name in zip(parts([]), ("shared", "timed", "alone"), strict=True):
        assert f"--junitxml=results/{name}.xml" in part


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([0, 0, 0], 0), ([0, 5, 0], 0), ([5, 0, 5], 0), ([5, 5, 5], 5), ([1, 0, 0], 1), ([0, 0, 1], 1), ([5, 2, 5], 2)],
)
def test_a_part_without_a_test_is_no_fault_unless_all_are_without(codes: list[int], expected: int) -> None:
    assert exit_code(codes) == expected
