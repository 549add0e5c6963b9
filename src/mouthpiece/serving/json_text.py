"""What a JSON text may hold, looked at while it arrives and before it is parsed."""

from __future__ import annotations

import json
import re
from typing import Any, Final

MOST_KEYS: Final = 50
"""Keys of an object."""
MOST_STRINGS: Final = 2_500
"""Keys and strings, in all."""
MOST_VALUES: Final = 10_000
"""Commas and opening brackets outside strings, in all: each stands for a value, which takes up to 64 bytes."""

_IN_STRING: Final = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


class TooManyKeys(ValueError):
    """The text has more keys, strings or values than a request needs."""


class NoObject(ValueError):
    """The text is JSON, and no object."""


class JsonBounds:
    """Counts the strings and values of a JSON text that comes in pieces; each is looked at once and not kept."""

    def __init__(self) -> None:
        self.strings = self.values = 0
        self._in_string = self._escaped = False

    def count(self, piece: str) -> None:
        """
        :raises TooManyKeys: there are more than ``MOST_STRINGS`` or ``MOST_VALUES`` so far.
        """
        at = 0
        if self._escaped and piece:
            at, self._escaped = 1, False
        while at < len(piece):
            at = self._end_of_string(piece, at) if self._in_string else self._next_string(piece, at)
            if self.strings > MOST_STRINGS or self.values > MOST_VALUES:
                raise TooManyKeys("too many keys")

    def _next_string(self, piece: str, at: int) -> int:
        quote = piece.find('"', at)
        end = len(piece) if quote < 0 else quote
        self.values += sum(piece.count(mark, at, end) for mark in ",[{")
        if quote >= 0:
            self.strings += 1
            self._in_string = True
        return end + 1

    def _end_of_string(self, piece: str, at: int) -> int:
        found = _IN_STRING.match(piece, at)
        assert found is not None  # it matches an empty string, too
        end = found.end()
        if end < len(piece):
            self._escaped = piece[end] == "\\"  # the last character
            self._in_string = self._escaped
        return end + 1


def parse_object(text: str) -> dict[str, Any]:
    """Parse a JSON object. A line end inside a string, which templates leave there, is one.

    :raises TooManyKeys: it has more than ``MOST_KEYS``, ``MOST_STRINGS`` or ``MOST_VALUES``.
    :raises NoObject: it is something else.
    :raises ValueError: it is no JSON, or nested too deeply.
    """
    JsonBounds().count(text)
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
