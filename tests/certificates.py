"""What httpx trusts, read once in a process: every client of it reads some hundreds of certificates, which takes 40 ms
of a processor and was two fifths of what a test of the sender over HTTP took."""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def certificates_read_once() -> Iterator[None]:
    create = ssl.create_default_context
    keep = functools.cache(create)

    def context(*purpose: ssl.Purpose, cafile: str | None = None, **more: Any) -> ssl.SSLContext:
        return keep(*purpose, cafile=cafile) if cafile and not more else create(*purpose, cafile=cafile, **more)

    ssl.create_default_context = context  # type: ignore[assignment]
    try:
        yield
    finally:
        ssl.create_default_context = create
