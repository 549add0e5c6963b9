"""The extras of the distribution: each part of the product installs its own, and says so where one is missing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Final

DISTRIBUTION: Final = "mouthpiece-livekit"
"""Its name on a package index; what is imported is called ``mouthpiece``."""


def needs(what: str, *extras: str, checkout: str = "make extras") -> str:
    """Return the sentence that ``what`` needs ``extras``, and how to install them.

    :param checkout: the command that installs them in a checkout.
    """
    names = " and ".join(f"“{extra}”" for extra in extras)
    noun = "extra" if len(extras) == 1 else "extras"
    return (
        f"{what} needs the {noun} {names}: pip install '{DISTRIBUTION}[{','.join(extras)}]', "
        f"or `{checkout}` in a checkout."
    )


@contextlib.contextmanager
def imports(what: str, extra: str) -> Iterator[None]:
    """Exit with code 2 and a sentence, without a traceback, if an import in the block fails for want of ``extra``.

    A failed import of a module of ours is a fault of ours, and is raised.
    """
    try:
        yield
    except ImportError as error:
        missing = error.name or ""
        if missing.partition("_")[0].partition(".")[0] == "mouthpiece":
            raise
        sys.stderr.write(f"{needs(what, extra)} ({missing} is missing)\n")
        raise SystemExit(2) from None
