"""What clients say about a body, as far as it says something."""

from __future__ import annotations

from collections import defaultdict
from email.message import Message
from typing import Final

from python_multipart.multipart import parse_options_header

GENERIC: Final = (
    *("application/octet-stream", "binary/octet-stream", "application/binary", "application/x-binary"),
    *("application/x-www-form-urlencoded", "application/unknown", "unknown/unknown", "application/force-download"),
    *("application/download", "application/x-download", "multipart/mixed", "*/*"),
)
"""Media types that clients send by default (curl, S3, browsers) and that say nothing: the content decides."""


def read_content_type(value: str | bytes | None) -> tuple[str, dict[str, str]]:
    """Return the media type that a ``Content-Type`` names, empty if it says nothing, and its parameters; names are in
    lower case. A parameter that comes twice with different values has both, ``16000;8000``: nobody can mean that."""
    kind, parameters = parse_options_header(value)
    named = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in parameters.items()}
    return specific(kind.decode("latin-1").lower()), named | _contradicting(value)


def _contradicting(value: str | bytes | None) -> dict[str, str]:
    header = Message()
    header["Content-Type"] = value.decode("latin-1") if isinstance(value, bytes) else value or ""
    values: defaultdict[str, list[str]] = defaultdict(list)
    for name, text in (header.get_params() or [])[1:]:
        if text not in values[name.lower()]:
            values[name.lower()].append(text)
    return {name: ";".join(texts) for name, texts in values.items() if len(texts) > 1}


def specific(media_type: str) -> str:
    """``media_type``, in lower case; empty if it says nothing."""
    return "" if media_type in GENERIC else media_type


def clean_name(name: str) -> str | None:
    """Return a file's name without folders and unprintable characters, at most 200 long; None if nothing is left."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable()).strip()[:200] or None
