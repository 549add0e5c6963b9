"""Each direct dependency has its reason in docs/decisions.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
DECISIONS = (ROOT / "docs" / "decisions.md").read_text().partition("## Direct dependencies")[2]


def requirements() -> Iterator[str]:
    yield from PROJECT["project"]["dependencies"]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        yield from extra


def names() -> list[str]:
    found = {match[0] for requirement in requirements() if (match := re.match(r"[A-Za-z0-9._-]+", requirement))}
    return sorted(found - {PROJECT["project"]["name"]})


@pytest.mark.parametrize("name", names())
def test_a_dependency_has_its_reason(name: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", DECISIONS, re.IGNORECASE), (
        f"{name} stands in pyproject.toml; say in docs/decisions.md why"
    )
