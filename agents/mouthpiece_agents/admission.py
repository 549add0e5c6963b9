"""Which jobs a worker accepts: no more than may run at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from livekit.agents import JobRequest

logger = logging.getLogger(__name__)


class Admission:
    """Counts the jobs that run, and those that were accepted and have no process yet, which takes a second or more.

    livekit-agents' ``active_jobs`` shows the former only (1.8.9), so it would not limit simultaneous dispatches.
    """

    def __init__(self, limit: int, *, agent_name: str, running: Callable[[], Iterable[str]]) -> None:
        """
        :param limit: jobs at a time.
        :param running: returns the ids of the jobs that have a process.
        """
        self._limit = limit
        self._agent_name = agent_name
        self._running = running
        self._accepted: set[str] = set()

    async def answer(self, request: JobRequest) -> None:
        """Accept the job, or leave it to other workers."""
        if len(self._accepted.union(self._running())) >= self._limit:
            logger.warning(
                "%d jobs run already (MOUTHPIECE_AGENTS_MAX_JOBS); leaving one to other workers", self._limit
            )
            await request.reject(terminate=False)
            return
        self._accepted.add(request.id)
        try:
            await request.accept(name=self._agent_name)  # returns once a process has it
        finally:
            self._accepted.remove(request.id)
