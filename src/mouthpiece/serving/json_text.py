"""What a JSON text may hold, looked at before it is parsed."""

from __future__ import annotations

import json
from typing import Any, Final

MOST_KEYS: Final = 50
"""Keys of an object."""
MOST_QUOTES: Final = 5_000
"""Quotation marks around keys and strings, in all."""


class TooManyKeys(ValueError):
    """The text has more keys than a request needs."""


class NoObject(ValueError):
    """The text is JSON, and no object."""


def parse_object(text: str) -> dict[str, Any]:
    """Parse a JSON object. A line end inside a string, which templates leave there, is one.

    :raises TooManyKeys: it has more than ``MOST_KEYS``.
    :raises NoObject: it is something else.
    :raises ValueError: it is no JSON, or nested too deeply.
    """
    if text.count('"') - text.count('\\"') > MOST_QUOTES:
        raise TooManyKeys("too many keys")
    try:
        value = json.loads(text, parse_constant=_no_number, strict=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise NoObject("no object")
    if len(value) > MOST_KEYS:
        raise TooManyKeys("too many keys")
    return value


def _no_number(text: str) -> None:
    """``json`` reads NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{text} is no number")
