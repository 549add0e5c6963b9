"""How ``make test`` parts the tests (tests/run.py)."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from tests.conftest import LIVE
from tests.run import BESIDE, IN_TURN, exit_code, is_a_place

PARTS = (BESIDE, *IN_TURN)
ROOT = Path(__file__).parents[3]
HERE = str(Path(__file__).relative_to(ROOT))


def test_every_test_without_a_docker_engine_is_in_one_of_the_parts() -> None:
    for live, alone in product((False, True), repeat=2):
        marks = {"live": live, "alone": alone, "compose": False}
        assert sum(bool(eval(part.marks, {}, marks)) for part in PARTS) == 1, marks
    for part in PARTS:
        assert not eval(part.marks, {}, {"live": True, "alone": True, "compose": True})


def test_the_folders_of_a_part_hold_its_tests() -> None:
    rings = {f"tests/{ring}" for ring in ("unit", "loopback", "live")}
    assert {folder for part in PARTS for folder in part.folders} == rings | {folder.rstrip("/") for folder in LIVE}
    unit = [path.read_text() for path in ROOT.joinpath("tests/unit").rglob("test_*.py") if path != Path(__file__)]
    assert not any("mark.alone" in text for text in unit), "the part of what is alone has no folder of it"


def test_what_is_timed_goes_before_what_runs_beside_it() -> None:
    assert BESIDE.command([])[:3] == ["nice", "-n", "15"]
    assert all(part.command([])[0] == sys.executable for part in IN_TURN)


def test_the_arguments_of_the_caller_come_last_and_a_place_stands_for_the_folders() -> None:
    for part in PARTS:
        assert part.command([])[-len(part.folders) :] == [*part.folders]
        assert part.command(["-k", "name"])[-2 - len(part.folders) :] == ["-k", "name", *part.folders]
        assert part.command(["tests/unit", "-n", "1"])[-3:] == ["tests/unit", "-n", "1"]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("tests/unit", True), (f"{HERE}::test_nothing", True), ("-k", False), ("name", False)],
)
def test_a_place_is_what_exists(argument: str, expected: bool) -> None:
    assert is_a_place(argument) is expected


def test_each_part_leaves_results_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_RESULTS", "results")
    for part in PARTS:
        assert f"--junitxml=results/{part.name}.xml" in part.command([])
    assert len({part.name for part in PARTS}) == len(PARTS)


@pytest.mark.parametrize(
    ("codes", "expected"), [([0, 0], 0), ([0, 5], 0), ([5, 0], 0), ([5, 5], 5), ([1, 0], 1), ([0, 1], 1), ([5, 2], 2)]
)
def test_a_part_without_a_test_is_no_fault_unless_all_are_without(codes: list[int], expected: int) -> None:
    assert exit_code(codes) == expected


def test_the_folder_of_the_live_ring_gives_its_tests_their_mark() -> None:
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "--collect-only", "tests/live/test_server.py"]
    codes = [subprocess.run([*command, "-m", marks], capture_output=True).returncode for marks in ("live", "not live")]
    assert codes == [0, 5]
