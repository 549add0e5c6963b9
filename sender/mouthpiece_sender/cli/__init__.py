"""``mouthpiece``: a table of commands, each a function in a module of its own that is imported when it is called."""

from __future__ import annotations

import signal
import sys
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

ENV_FILE: Final = ".env.local"
"""Of the folder that the command is called in; the environment goes before it."""


def main() -> None:
    """The command ``mouthpiece``."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a Ctrl-C among the first imports ends it without a traceback
    from dotenv import load_dotenv

    from mouthpiece_sender.cli.application import application

    load_dotenv(ENV_FILE)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    chosen = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    try:
        application(chosen)()
    except KeyboardInterrupt:  # before a command's own handling of it
        sys.exit(130)
