"""``MOUTHPIECE_TRACES``: one trace a segment, from its request to its receipt, in a collector that runs in the test."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from mouthpiece_sender import service
from mouthpiece_sender.livekit.server_api import RoomFacts
from mouthpiece_sender.livekit.target import LiveKitTarget
from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.collector import Collector, attributes, collecting
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.sender.fakes import avatar
from tests.unit.sender.fake_connection import FakeRoom

QUEUE = "/v1/rooms/secret-room/segments"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The example of W3C's Trace Context, 3.2."""
TEXT = "Nobody's business."


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@asynccontextmanager
async def traced(start: Start, monkeypatch: pytest.MonkeyPatch, url: str) -> AsyncIterator[Running]:
    """A service with a room in which an avatar of ours is; leaving it exports what is left."""
    room = FakeRoom(avatar("mia"))
    monkeypatch.setattr(service, "LiveKitTarget", functools.partial(LiveKitTarget, connect=room.connect))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with start(traces=url) as sender:
        sender.livekit.rooms_there["secret-room"] = RoomFacts("secret-room", "RM_1", 0, 300, 20)
        sender.livekit.people["secret-room"] = [room.avatar]
        yield sender


async def said(sender: Running, **request: object) -> httpx.Response:
    wanted: dict[str, str | int] = {"wait": "finished", "timeout": 30}
    answer = await sender.client.post(QUEUE, params=wanted, **request)  # type: ignore[arg-type]
    assert answer.json()["state"] == "finished", answer.text
    await sender.client.get(QUEUE)  # what has happened is written by then
    return answer


async def test_a_sound_is_one_trace_from_the_request_through_the_decoder_to_the_receipt(
    start: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with traced(start, monkeypatch, collector.url) as sender:
        answer = await said(sender, content=sound_file(0.5), headers={"traceparent": CALLER, "X-Request-Id": "r-17"})
    root, attempt = collector.named("segment"), collector.named("attempt")
    names = {"segment", "accept", "probe", "queue", "attempt", "sound", "decode"}
    assert {span.name for span in collector.spans} == names
    assert {span.trace_id.hex() for span in collector.spans} == {CALLER.split("-")[1]}
    assert root.parent_span_id.hex() == CALLER.split("-")[2]
    for name, parent in {"accept": root, "queue": root, "attempt": root, "sound": attempt, "decode": attempt}.items():
        assert collector.named(name).parent_span_id == parent.span_id, name
    for span in collector.spans:
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
    assert collector.named("queue").end_time_unix_nano == attempt.start_time_unix_nano
    assert attempt.end_time_unix_nano <= root.end_time_unix_nano
    assert [event.name for event in attempt.events] == ["first sound"]
    assert attributes(root) == {
        "mouthpiece.segment": answer.json()["id"],
        "mouthpiece.request": "r-17",
        "mouthpiece.source": "file",
        "mouthpiece.state": "finished",
        "mouthpiece.receipt": "confirmed",
        "mouthpiece.position": answer.json()["position"],
    }


async def test_a_text_goes_through_the_voice_and_its_words_stay_here(
    start: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with traced(start, monkeypatch, collector.url) as sender:
        await said(sender, json={"text": TEXT})
    assert {"segment", "accept", "queue", "attempt", "sound", "voice"} == {span.name for span in collector.spans}
    assert len({span.trace_id for span in collector.spans}) == 1
    sent = b"".join(collector.bodies)
    for secret in (b"business", b"secret-room", b"avatar-mia"):
        assert secret not in sent


async def test_what_is_refused_is_a_trace_that_says_so_and_segments_do_not_share_one(
    start: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with traced(start, monkeypatch, collector.url) as sender:
        assert (await sender.client.post(QUEUE, content=b"no sound")).status_code == 400
        await said(sender, content=sound_file(0.2))
        await said(sender, content=sound_file(0.2))
    roots = [span for span in collector.spans if span.name == "segment"]
    assert len({root.trace_id for root in roots}) == 3
    assert [root.status.code for root in roots].count(Status.STATUS_CODE_ERROR) == 1


async def test_a_collector_that_is_not_there_holds_nothing_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async with traced(start, monkeypatch, "http://127.0.0.1:9/v1/traces") as sender:
        await said(sender, content=sound_file(0.2))
