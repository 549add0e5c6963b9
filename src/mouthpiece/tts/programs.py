"""Look-up of the programs that a voice needs."""

from __future__ import annotations

import shutil

_found: dict[str, str] = {}


def find(command: str) -> str | None:
    """The path of ``command``, or None. A path is cached once it is found: a disk may be slow, and this is called on
    event loops. A service fills the cache at its start (``available``)."""
    if command not in _found and (path := shutil.which(command)) is not None:
        _found[command] = path
    return _found.get(command)
