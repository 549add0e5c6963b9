"""Programs that a voice needs."""

from __future__ import annotations

import shutil

_found: dict[str, str] = {}


def find(command: str) -> str | None:
    """The program's path, or None. What was found once is not looked for again: a disk may be slow, and this is asked
    inside event loops. A service asks once at its start (``available``)."""
    if command not in _found and (path := shutil.which(command)) is not None:
        _found[command] = path
    return _found.get(command)
