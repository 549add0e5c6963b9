"""A process that holds secrets is not looked into by others of the same user, nor written into a core file."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def forbid_inspection() -> None:
    """Forbid it to every process but root's for the life of this one: ``/proc/<pid>/environ`` and ``mem``, debuggers
    and core files (prctl(2), ``PR_SET_DUMPABLE``). Programs that this process starts are not concerned. Linux only.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
