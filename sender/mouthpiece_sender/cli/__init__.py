"""``mouthpiece``: each command is a function in a module of its own (``commands`` lists them), imported when called."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from pathlib import Path
from typing import Final

from mouthpiece.errors import ConfigurationError
from mouthpiece.extras import imports
from mouthpiece.process.signals import hold

ENV_FILE: Final = ".env.local"
"""In the working folder; the environment overrides it."""
SERVICES: Final = ("serve", "demo")
"""Commands that run until a SIGTERM: it stops them at any moment, also while they start."""


def main() -> None:
    """Run the command ``mouthpiece`` and end the process."""
    end = _End()
    atexit.register(end)  # exit handlers run in reverse order: registered first, it runs last
    try:
        _main()
        end.code = 0
    except SystemExit as exit_:
        end.code = exit_.code
        raise


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a Ctrl-C among the first imports ends it without a traceback
    chosen = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    if chosen in SERVICES:
        hold(signal.SIGTERM)
    with imports("The command mouthpiece", "sender"):
        from mouthpiece.process.env_file import load_env_file
        from mouthpiece_sender.cli.application import application

        try:
            load_env_file(Path(ENV_FILE))
        except ConfigurationError as error:
            sys.stderr.write(f"{error}\n")
            sys.exit(2)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with imports("The command mouthpiece", "sender"):
            command = application(chosen)
        command()
    except KeyboardInterrupt:  # among the command's imports, or before its own handling of it
        sys.exit(130)


class _End:
    """Ends the process after all other exit handlers, without finalizing the interpreter.

    Finalizing ends threads that call back into the interpreter. Inside LiveKit's Rust library this aborts the process,
    and the library's own disposal, also at exit, does not wait for such calls.
    """

    def __init__(self) -> None:
        self.code: object = 1
        """As in ``SystemExit``. After an unexpected error it keeps this first value."""
        self._process = os.getpid()

    def __call__(self) -> None:
        if os.getpid() != self._process:
            return  # the exit of a forked child
        code = self.code if isinstance(self.code, int) else int(self.code is not None)
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except (OSError, ValueError):  # its reader has gone; it is closed
                code = code or 1
        os._exit(code & 0xFF)
