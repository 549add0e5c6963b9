"""``mouthpiece``: each command is a function in a module of its own (``commands`` lists them), imported when called."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from typing import Final

from mouthpiece.extras import imports

ENV_FILE: Final = ".env.local"
"""Of the folder that the command is called in; the environment goes before it."""


def main() -> None:
    """The command ``mouthpiece``, as a whole process."""
    end = _End()
    atexit.register(end)  # the first that is registered is the last that is called
    try:
        _main()
        end.code = 0
    except SystemExit as exit_:
        end.code = exit_.code
        raise


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a Ctrl-C among the first imports ends it without a traceback
    chosen = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    with imports("The command mouthpiece", "sender"):
        from dotenv import load_dotenv

        from mouthpiece_sender.cli.application import application

        load_dotenv(ENV_FILE)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        command = application(chosen)
    try:
        command()
    except KeyboardInterrupt:  # before a command's own handling of it
        sys.exit(130)


class _End:
    """Ends the process when all that is to happen at its exit has happened, and leaves the interpreter as it is.

    To take that apart ends threads that call back into it. Inside of LiveKit's Rust this aborts the process, and its
    disposal, at exit too, does not wait for such calls.
    """

    def __init__(self) -> None:
        self.code: object = 1
        """As ``SystemExit`` has it. An error that nobody expected leaves it as it is."""
        self._process = os.getpid()

    def __call__(self) -> None:
        if os.getpid() != self._process:
            return  # a fork's own exit
        code = self.code if isinstance(self.code, int) else int(self.code is not None)
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except (OSError, ValueError):  # nobody reads it any more; it is closed
                code = code or 1
        os._exit(code & 0xFF)
