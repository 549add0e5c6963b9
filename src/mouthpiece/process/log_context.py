"""What the lines of a log are about: a segment, a request. Tasks inherit it from the task that starts them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

SEGMENT: Final[ContextVar[str | None]] = ContextVar("segment", default=None)
"""The id of the segment that this task works for."""
REQUEST: Final[ContextVar[str | None]] = ContextVar("request", default=None)
"""The id of the request that this task answers."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def current() -> dict[str, str]:
    """Return the fields of a line that is written now."""
    found = {"segment": SEGMENT.get(), "request": REQUEST.get()}
    return {name: value for name, value in found.items() if value is not None}


def shown_id(given: str | None) -> str | None:
    """Return an id that somebody else gave, if nothing but letters, digits, ``_`` and ``-`` is in it."""
    return given if given is not None and _ID.fullmatch(given) else None


@contextmanager
def about(segment: str | None, *, request: str | None = None) -> Iterator[None]:
    """In the block this task works for ``segment``, and answers ``request`` or none."""
    segment_before, request_before = SEGMENT.set(segment), REQUEST.set(request)
    try:
        yield
    finally:
        SEGMENT.reset(segment_before)
        REQUEST.reset(request_before)
