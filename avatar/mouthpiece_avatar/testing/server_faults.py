"""``python -m mouthpiece_avatar --fault NAME``: our own avatar server with a fault."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Callable
from typing import Final

from mouthpiece.errors import ConfigurationError
from mouthpiece_avatar.conduct import Conduct
from mouthpiece_avatar.testing.named import KINDS, SYNTAX, names, parse
from mouthpiece_avatar.testing.scripted import Scripted

logger = logging.getLogger(__name__)

WIDTH: Final = 120


def listed() -> str:
    """Return a text that names every fault, one line each, and why this server does not offer some of them."""
    offered = [(name, kind.line) for name, kind in KINDS.items() if not kind.not_ours]
    others = [(name, f"{kind.line} ({kind.not_ours})") for name, kind in KINDS.items() if kind.not_ours]
    return "\n".join(
        [
            f"--fault {SYNTAX}; @ limits one to the first so many streams:",
            *_rows(offered),
            "not here, but in mouthpiece_avatar.testing.ScriptedReceiver:",
            *_rows(others),
            "",
        ]
    )


def conducts(text: str) -> Callable[[], Conduct]:
    """Return what makes the conduct of each session.

    :raises ConfigurationError: there is no such fault, or this server cannot have it; it says why.
    """
    for name in names(text):
        if (kind := KINDS.get(name)) is not None and kind.not_ours:
            raise ConfigurationError(f"--fault {name}: {kind.not_ours}")
    try:
        fault = parse(text)
    except ValueError as error:
        raise ConfigurationError(f"--fault: {error}") from None
    logger.warning("this avatar server does something wrong on purpose: %s", text)
    return lambda: Scripted(fault)


def _rows(rows: list[tuple[str, str]]) -> list[str]:
    return [
        textwrap.fill(f"  {name:26}{line}", WIDTH, subsequent_indent=" " * 28, drop_whitespace=True)
        for name, line in rows
    ]
