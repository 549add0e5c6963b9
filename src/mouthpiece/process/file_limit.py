"""How many files a process may have open: an ``rtc.Room`` takes 65 (docs/wire.md), the usual soft limit is 1,024."""

from __future__ import annotations

import resource


def file_limit() -> int:
    """Return the number of files that may be open; a large one where there is no limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 20 if soft == resource.RLIM_INFINITY else soft


def raise_file_limit(wanted: int) -> int:
    """Raise the soft limit of open files to ``wanted``, or to the hard limit if that is lower. Never lowers it.

    :returns: the number of files that may now be open, ``wanted`` or more where the system allows that many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed <= soft:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed
