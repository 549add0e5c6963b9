"""Runs a command that ends when its parent process ends, even by SIGKILL: ``parent_death.py PARENT COMMAND…``.

On Linux a process can request a signal at its parent's death (prctl(2), PR_SET_PDEATHSIG); the request stays in force
over exec. On other systems the command runs without it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def ended_with_parent(command: Sequence[str]) -> list[str]:
    """Return a command line that runs ``command`` until it ends, or until the current process ends."""
    # run as a file: as a module it would import the packages around it first
    return [sys.executable, "-I", __file__, str(os.getpid()), *command]


def main() -> None:
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):  # the parent ended before the request
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
