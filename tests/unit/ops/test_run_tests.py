"""How ``make test`` parts the tests (tests/run.py)."""

from __future__ import annotations

import pytest

from tests.run import exit_code, parts


def test_every_test_without_a_docker_engine_is_in_one_of_the_two_parts() -> None:
    chosen = [part[part.index("-m") + 1] for part in parts([])]
    assert chosen == ["not compose and not alone", "not compose and alone"]


def test_what_measures_time_has_one_process_and_the_arguments_of_the_caller_come_last() -> None:
    shared, alone = parts(["-n", "1", "-k", "name"])
    assert int(shared[shared.index("-n") + 1]) > 1
    assert alone[alone.index("-n") + 1] == "0"
    assert shared[-4:] == alone[-4:] == ["-n", "1", "-k", "name"]


def test_each_part_leaves_results_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_RESULTS", "results")
    assert ["--junitxml=results/shared.xml" in parts([])[0], "--junitxml=results/alone.xml" in parts([])[1]] == [
        True
    ] * 2


@pytest.mark.parametrize(
    ("codes", "expected"), [([0, 0], 0), ([0, 5], 0), ([5, 0], 0), ([5, 5], 5), ([1, 0], 1), ([0, 1], 1), ([5, 2], 2)]
)
def test_a_part_without_a_test_is_no_fault_unless_both_are_without(codes: list[int], expected: int) -> None:
    assert exit_code(codes) == expected
