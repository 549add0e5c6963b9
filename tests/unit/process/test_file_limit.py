"""The file limit is raised as far as the system allows, and never lowered."""

from __future__ import annotations

import resource

import pytest

from mouthpiece.process.file_limit import raise_file_limit


@pytest.mark.parametrize(
    ("limits", "wanted", "allowed"),
    [
        ((1024, 4096), 2048, 2048),
        ((1024, 4096), 1_000_000, 4096),
        ((1024, 4096), 10, 1024),
        ((4096, 4096), 8192, 4096),
        ((1024, resource.RLIM_INFINITY), 1_000_000, 1_000_000),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 2048, 2048),
    ],
)
def test_the_limit_is_raised_and_never_lowered(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], wanted: int, allowed: int
) -> None:
    changes: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: changes.append(new))
    assert raise_file_limit(wanted) == allowed
    raised = limits[0] != resource.RLIM_INFINITY and allowed > limits[0]
    assert changes == ([(allowed, limits[1])] if raised else [])
