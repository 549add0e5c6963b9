"""The commands and their lines in ``mouthpiece --help``, without importing any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "serve": "Run the HTTP API and the page.",
    "play": "Say a sound file through the avatar in a room.",
    "say": "Say a text through the avatar in a room.",
    "loop": "Say a sound file again and again.",
    "interrupt": "Stop what a running service is saying.",
    "rooms": "List the rooms and who is in them.",
    "token": "Make a token with which a viewer can join.",
    "demo": "Start everything on this machine and speak a greeting.",
}
"""``name`` is the function of that name in ``mouthpiece_sender.cli.<name>``; the line is what --help lists."""
