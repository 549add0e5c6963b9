"""How many jobs a worker takes."""

from __future__ import annotations

import asyncio

import pytest

from mouthpiece_agents.admission import Admission


class FakeRequest:
    """A job that is offered; accepting it waits until it is ``launched``."""

    def __init__(self, job: str, launched: asyncio.Event | None = None, error: Exception | None = None) -> None:
        self.id = job
        self.answered = ""
        self._launched = launched
        self._error = error

    async def accept(self, *, name: str) -> None:
        assert name == "mouthpiece"
        self.answered = "accepted"
        if self._launched is not None:
            await self._launched.wait()
        if self._error is not None:
            raise self._error

    async def reject(self, *, terminate: bool) -> None:
        assert not terminate, "others may take it"
        self.answered = "rejected"


def admission(limit: int, running: set[str]) -> Admission:
    return Admission(limit, agent_name="mouthpiece", running=lambda: running)


async def test_no_more_jobs_are_taken_than_may_run(caplog: pytest.LogCaptureFixture) -> None:
    running = {"one"}
    second, third = FakeRequest("two"), FakeRequest("three")
    admit = admission(2, running)
    await admit.answer(second)  # type: ignore[arg-type]
    running.add("two")
    await admit.answer(third)  # type: ignore[arg-type]
    assert [second.answered, third.answered] == ["accepted", "rejected"]
    assert caplog.messages == ["2 jobs run already (MOUTHPIECE_AGENTS_MAX_JOBS); leaving one to other workers"]


async def test_jobs_that_are_offered_together_are_counted_before_they_run() -> None:
    launched = asyncio.Event()
    requests = [FakeRequest(f"job-{number}", launched) for number in range(5)]
    admit = admission(2, set())
    async with asyncio.TaskGroup() as tasks:
        for request in requests:
            tasks.create_task(admit.answer(request))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        launched.set()
    assert [request.answered for request in requests] == ["accepted"] * 2 + ["rejected"] * 3


async def test_a_job_that_is_being_launched_is_counted_once() -> None:
    launched, running = asyncio.Event(), {"job-1"}
    first, second = FakeRequest("job-1", launched), FakeRequest("job-2")
    admit = admission(2, running)
    launching = asyncio.create_task(admit.answer(first))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    await admit.answer(second)  # type: ignore[arg-type]
    assert second.answered == "accepted"
    launched.set()
    await launching


async def test_a_job_that_livekit_does_not_assign_frees_its_place() -> None:
    admit = admission(1, set())
    with pytest.raises(TimeoutError):
        await admit.answer(FakeRequest("one", error=TimeoutError()))  # type: ignore[arg-type]
    second = FakeRequest("two")
    await admit.answer(second)  # type: ignore[arg-type]
    assert second.answered == "accepted"
