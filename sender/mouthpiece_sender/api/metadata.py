"""What a caller attaches to a segment: a JSON object of at most 2 kB."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

MAX_BYTES: Final = 2_048
"""Of the object as it is stored: UTF-8, without white space."""
MAX_DEPTH: Final = 16
"""Objects and lists within each other."""


def check_metadata(value: dict[str, Any]) -> dict[str, Any]:
    """
    :raises ValueError: it is too large, too deep, or no text of Unicode.
    """
    if _depth(value) > MAX_DEPTH:
        raise ValueError(f"must be at most {MAX_DEPTH} levels deep")
    try:
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    except UnicodeEncodeError:
        raise ValueError("must be text of Unicode: a surrogate stands alone") from None
    if size > MAX_BYTES:
        raise ValueError(f"must be at most {MAX_BYTES:,} bytes of JSON; it has {size:,}")
    return value


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += one.values()
            elif isinstance(one, list):
                below += one
        if any(isinstance(one, dict | list) for one in level):
            depth += 1
        level = below
    return depth


Metadata = Annotated[
    dict[str, Any],
    AfterValidator(check_metadata),
    Field(description=f"What to attach to the segment: at most {MAX_BYTES:,} bytes of JSON."),
]
