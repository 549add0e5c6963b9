"""The commands and their lines in ``mouthpiece --help``, without importing any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "serve": "Run the HTTP API and the page.",
    "play": "Play a sound file through the avatar in a room.",
    "say": "Say a text through the avatar in a room.",
    "loop": "Play a sound file again and again.",
    "interrupt": "Stop the segment that a running service plays.",
    "watch": "Show rooms and segments of a running service as they change.",
    "rooms": "List the rooms, their avatars and viewers.",
    "token": "Make a token for a viewer.",
    "backup": "Copy the data folder of a service, also while it runs.",
    "restore": "Put such a copy in place.",
    "demo": "Start everything on this machine and speak a greeting.",
}
"""The line for each command. The command ``name`` is the function ``name`` in ``mouthpiece_sender.cli.<name>``."""
