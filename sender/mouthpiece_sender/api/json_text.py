"""JSON texts of requests: their charset, and what they may hold."""

from __future__ import annotations

import codecs
from typing import Any, Final, NoReturn

from mouthpiece.serving.json_text import (
    MOST_KEYS,
    MOST_STRINGS,
    MOST_VALUES,
    JsonBounds,
    NoObject,
    TooManyKeys,
    parse_object,
)
from mouthpiece_sender.api.problems import ApiProblem

NO_CHARSETS: Final = ("idna", "punycode", "undefined", "raw-unicode-escape", "unicode-escape")
"""Python's own encodings of other things than texts. Decoding some of them takes time that grows with the square of the
length."""
_HEAD: Final = 3
"""Bytes that say the charset, where they are a byte order mark."""


class ArrivingJson:
    """A JSON text that arrives. What it holds is counted as it does: one with too many keys is not read to its end.

    :param charset: of the ``Content-Type``.
    """

    def __init__(self, charset: str | None) -> None:
        self.data = bytearray()
        self._declared = charset
        self._bounds = JsonBounds()
        self._decoder: codecs.IncrementalDecoder | None = None
        self._countable = True

    def feed(self, chunk: bytes) -> None:
        """
        :raises ApiProblem: it has too many keys, or its charset is not known here.
        """
        self.data += chunk
        if self._decoder is None:
            if len(self.data) < _HEAD:
                return
            self._decoder = codecs.getincrementaldecoder(_charset(self.data, self._declared))("replace")
            chunk = bytes(self.data)
        try:
            if self._countable:
                self._bounds.count(self._decoder.decode(chunk))
        except UnicodeError:  # UTF-16 without a byte order mark: it is counted once it is whole
            self._countable = False
        except TooManyKeys:
            _too_many()


def from_json(text: bytes | bytearray, *, example: str = "{}", charset: str | None = None) -> dict[str, Any]:
    """Parse a JSON object: UTF-8 with or without a byte order mark, or the charset that was declared. A line end inside
    a string, which templates leave there, is one.

    :param example: shown in the error where ``text`` is not a JSON object.
    :param charset: of the ``Content-Type``.
    :raises ApiProblem: ``text`` is not a JSON object, or has more than ``MOST_KEYS`` keys.
    """
    try:
        return parse_object(_decoded(text, charset))
    except TooManyKeys:
        _too_many()
    except NoObject:
        raise ApiProblem("bad-body", f"The body must be a JSON object, such as {example}.") from None
    except ValueError:
        raise ApiProblem("bad-body", f"The body is not JSON, such as {example}.") from None


def _too_many() -> NoReturn:
    raise ApiProblem(
        "bad-body",
        f"The body has more than {MOST_KEYS} keys, or than {MOST_STRINGS:,} strings or {MOST_VALUES:,} values in all.",
    ) from None


def _charset(head: bytes | bytearray, declared: str | None) -> str:
    """
    :raises ApiProblem: it is not known here, or the text is compressed.
    """
    if head[:2] == b"\x1f\x8b":
        raise ApiProblem("unsupported-format", "The body is compressed with gzip: send it as it is.")
    if head[:3] == codecs.BOM_UTF8:
        return "utf-8-sig"
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    try:
        codec = codecs.lookup(declared or "utf-8")
    except LookupError:
        codec = None
    if codec is None or not codec._is_text_encoding or codec.name in NO_CHARSETS:
        raise ApiProblem(
            "unsupported-format", "The charset is not known here: send JSON in UTF-8.", field="Content-Type"
        )
    return codec.name


def _decoded(text: bytes | bytearray, declared: str | None) -> str:
    """
    :raises ApiProblem: it is not in its charset, or this is not known.
    """
    charset = _charset(text, declared)
    try:
        return text.decode(charset)
    except UnicodeError:
        raise ApiProblem(
            "bad-body",
            "The JSON is not in the charset that was declared."
            if declared or charset != "utf-8"
            else "The JSON is not UTF-8. If it is in another charset (PowerShell 5.1 sends ISO-8859-1), declare it: "
            "Content-Type: application/json; charset=iso-8859-1.",
            field="Content-Type",
        ) from None
