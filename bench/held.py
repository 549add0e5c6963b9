"""What a process holds: memory, threads, descriptors, tasks, objects."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds."""

    sessions: int
    """Opened and closed before."""
    memory: float
    """Megabytes resident."""
    allocated: float
    """Megabytes that the C library has given out; of what is resident, the rest is kept by it for later."""
    threads: int
    descriptors: int
    tasks: int
    objects: int
    """That Python's collector tracks."""

    @classmethod
    def now(cls, sessions: int) -> Held:
        own = psutil.Process()
        return cls(
            sessions,
            own.memory_info().rss / 1e6,
            allocated(),
            own.num_threads(),
            own.num_fds(),
            len(asyncio.all_tasks()),
            len(gc.get_objects()),
        )


class _MallocInfo(ctypes.Structure):
    """``struct mallinfo2``."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    ]  # fmt: skip


def allocated() -> float:
    """Return the megabytes that glibc has given out, to all threads."""
    call = ctypes.CDLL(None).mallinfo2
    call.restype = _MallocInfo
    info = call()
    return float(info.uordblks + info.hblkhd) / 1e6


def give_back() -> None:
    """Have glibc return to the system what it keeps for later."""
    ctypes.CDLL(None).malloc_trim(0)
