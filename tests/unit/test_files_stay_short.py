"""A file holds one idea and stays short; a longer one has its reason in ``docs/decisions.md``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.product_source import ROOT

MOST_LINES: Final = 400
FOLDERS: Final = ("src", "sender", "agents", "avatar", "tests", "bench", "examples", "assets", "web/src", "web/tests")
SUFFIXES: Final = {".py", ".ts", ".css"}
EXCEPTION: Final = re.compile(r"- `([\w./-]+)` \(over 400 lines\): \S.*")
"""As ``docs/decisions.md`` names one."""

TO_BE_SHORTENED: Final = frozenset(
    {
        "src/mouthpiece/playback/ledger.py",
    }
)
"""Files that somebody is at."""


def long_files() -> Iterator[str]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES and "node_modules" not in path.parts and lines(path) > MOST_LINES:
                yield str(path.relative_to(ROOT))


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def reasoned() -> set[str]:
    return {
        match[1]
        for line in (ROOT / "docs/decisions.md").read_text().splitlines()
        if (match := EXCEPTION.fullmatch(line))
    }


def test_long_files_have_their_reason_among_the_decisions() -> None:
    assert [name for name in long_files() if name not in reasoned() | TO_BE_SHORTENED] == []


def test_what_is_short_needs_no_reason() -> None:
    assert sorted(reasoned() - {*long_files()}) == []
