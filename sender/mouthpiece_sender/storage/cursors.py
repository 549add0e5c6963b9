"""Cursors of listings: the number of a page's last segment in the order of acceptance."""

from __future__ import annotations

import re
from typing import Final

_CURSOR: Final = re.compile("n([0-9]{1,18})")


def cursor(number: int) -> str:
    """Return the cursor for what was accepted before the segment of this number."""
    return f"n{number}"


def read_cursor(text: str) -> int:
    """Return the number in a cursor.

    :raises ValueError: ``text`` is no cursor.
    """
    if (found := _CURSOR.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is no cursor")
    return int(found[1])
