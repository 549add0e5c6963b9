"""Spans of the trace that this task works for. Where none is made, a span costs a look at a context variable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Final, Protocol


class Trace(Protocol):
    """The trace of one piece of work."""

    def span(self, name: str) -> AbstractContextManager[None]:
        """Return a span of it that lasts as long as the block."""
        ...


TRACE: Final[ContextVar[Trace | None]] = ContextVar("trace", default=None)
"""Tasks inherit it from the task that starts them."""


@contextmanager
def working_for(trace: Trace | None) -> Iterator[None]:
    """In the block this task works for ``trace``, or for none."""
    before = TRACE.set(trace)
    try:
        yield
    finally:
        TRACE.reset(before)


@contextmanager
def span(name: str) -> Iterator[None]:
    """In the block something happens that has a place of its own in the trace."""
    trace = TRACE.get()
    if trace is None:
        yield
        return
    with trace.span(name):
        yield
