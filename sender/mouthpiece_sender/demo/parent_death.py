"""Runs a command that ends with whoever started it, even if that was killed: ``leash.py PARENT COMMAND…``.

Linux tells a process of its parent's death if it has asked for it (prctl(2), PR_SET_PDEATHSIG), and keeps the
request over exec. Elsewhere the command simply runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str]) -> list[str]:
    """The command on a leash that the current process holds."""
    # As a file, not as a module: that would import the packages around it first.
    return [sys.executable, "-I", __file__, str(os.getpid()), *command]


def main() -> None:
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):  # it died before we asked
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
