"""What a trace shows of a segment's end; and that nobody has OpenTelemetry who is not traced."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from mouthpiece.segments import (
    AttemptRecord,
    AudioInfo,
    EndedBy,
    Event,
    Problem,
    Receipt,
    Segment,
    Source,
    State,
)
from mouthpiece_sender.tracing import SegmentTrace, SegmentTracer

AT = datetime(2026, 1, 1, tzinfo=UTC)
WITHOUT = """
import builtins, sys
real = builtins.__import__
def bare(name, globals=None, locals=None, fromlist=(), level=0):
    if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter")):  # the API alone comes with FastAPI
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return real(name, globals, locals, fromlist, level)
builtins.__import__ = bare
sys.argv = ["mouthpiece", "serve", "--port", "0"]
from mouthpiece_sender.cli import main
main()
"""


def seconds(after: float) -> datetime:
    return AT + timedelta(seconds=after)


def segment(state: State, ended_by: EndedBy | None = None, *attempts: AttemptRecord) -> Segment:
    return Segment(
        id="seg_1",
        room="demo",
        state=state,
        receipt=Receipt.UNKNOWN,
        source=Source("file"),
        audio=AudioInfo(16_000, 1, 3.0),
        created_at=seconds(0.1),
        position=1.5,
        ended_by=ended_by,
        attempts=attempts,
        error=Problem("avatar-left", "The avatar left.") if state is State.UNKNOWN else None,
    )


def happened(trace: SegmentTrace, after: float, type: str, attempt: int | None, shown: Segment) -> None:
    trace.stored(shown, Event("seg_1", "demo", type, seconds(after), attempt))


async def spans(state: State, ended_by: EndedBy | None) -> dict[str, list[ReadableSpan]]:
    """Of a segment that goes on in a second attempt, which does not end by itself."""
    exporter = InMemorySpanExporter()
    tracer = await asyncio.to_thread(SegmentTracer, exporter)
    trace = tracer.begin("seg_1", AT, request=None, parent="nonsense")
    first = AttemptRecord(number=1, offset=0.0, position=1.0, profile="stock", receipt=Receipt.ESTIMATED)
    happened(trace, 0.5, "attempt.opened", 1, segment(State.QUEUED))
    happened(trace, 0.6, "segment.playing", 1, segment(State.PLAYING))
    happened(trace, 1.0, "attempt.ended", 1, segment(State.PLAYING, None, first))
    happened(trace, 2.0, "attempt.opened", 2, segment(State.PLAYING, None, first))
    happened(trace, 2.5, f"segment.{state}", 2, segment(state, ended_by, first))
    await tracer.aclose()
    found: dict[str, list[ReadableSpan]] = {}
    for span in exporter.get_finished_spans():
        found.setdefault(span.name, []).append(span)
    return found


async def test_each_attempt_is_a_span_and_none_outlives_its_segment() -> None:
    found = await spans(State.INTERRUPTED, EndedBy.CALLER)
    (root,) = found["segment"]
    assert [(span.end_time or 0) - (span.start_time or 0) for span in found["attempt"]] == [500_000_000] * 2
    assert (root.end_time or 0) - (root.start_time or 0) == 2_500_000_000
    assert len(found["queue"]) == 1
    assert dict(found["attempt"][0].attributes or {}) == {
        "mouthpiece.attempt": 1,
        "mouthpiece.profile": "stock",
        "mouthpiece.receipt": "estimated",
        "mouthpiece.position": 1.0,
    }
    assert (root.attributes or {})["mouthpiece.ended_by"] == "caller"
    assert root.status.status_code is StatusCode.UNSET


async def test_an_end_that_is_a_fault_is_an_error_by_its_slug() -> None:
    (root,) = (await spans(State.UNKNOWN, EndedBy.AVATAR))["segment"]
    assert (root.status.status_code, root.status.description) == (StatusCode.ERROR, "avatar-left")


def test_a_service_that_is_not_traced_does_not_load_what_traces_it() -> None:
    code = "import sys, mouthpiece_sender.service; sys.exit('opentelemetry.sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.parametrize("traces", ["http://127.0.0.1:9/v1/traces"])
def test_traces_without_their_extra_are_an_error_that_says_how_to_install_it(traces: str, tmp_path: Path) -> None:
    environment = os.environ | {
        "LIVEKIT_URL": "ws://127.0.0.1:9",
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "a-secret-of-thirty-two-characters",
        "MOUTHPIECE_DATA": str(tmp_path / "data"),
        "MOUTHPIECE_TRACES": traces,
    }
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60
    )
    assert done.returncode == 2
    assert "MOUTHPIECE_TRACES needs the extra “traces”: pip install 'mouthpiece-livekit[traces]'" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_sound_belongs_to_the_attempt_that_it_is_read_ahead_for_and_a_voice_to_what_it_began_in() -> None:
    exporter = InMemorySpanExporter()
    tracer = await asyncio.to_thread(SegmentTracer, exporter)
    trace = tracer.begin("seg_1", AT, request=None, parent=None)
    with trace.span("sound"), trace.span("voice"):
        happened(trace, 0.5, "attempt.opened", 1, segment(State.QUEUED))
    happened(trace, 1.0, "attempt.ended", 1, segment(State.PLAYING))
    with trace.span("sound"):
        pass
    happened(trace, 2.5, "segment.finished", 1, segment(State.FINISHED))
    await tracer.aclose()
    found = {(span.name, (span.parent or span.context).span_id) for span in exporter.get_finished_spans()}
    root, attempt = (
        next(span.context.span_id for span in exporter.get_finished_spans() if span.name == name)
        for name in ("segment", "attempt")
    )
    assert {("sound", attempt), ("sound", root), ("voice", root), ("attempt", root)} <= found
