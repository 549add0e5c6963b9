"""A body that is spoken while it arrives. The service is real, the room with the avatar is a fake."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator

import httpx
import pytest

from mouthpiece_sender import service
from mouthpiece_sender.livekit.server_api import RoomFacts
from mouthpiece_sender.livekit.target import LiveKitTarget
from tests.loopback.sender.bodies import samples, sound_file
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.sender.fakes import avatar
from tests.loopback.sender.test_errors import expect
from tests.unit.sender.fake_connection import FakeRoom

QUEUE = "/v1/rooms/demo/segments"
PCM = {"Content-Type": "audio/pcm;rate=16000"}
WAIT = {"live": "true", "wait": "finished", "timeout": "10"}


@pytest.fixture
async def room() -> FakeRoom:
    return FakeRoom(avatar("mia"))


@pytest.fixture
async def speaking(start: Start, room: FakeRoom, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(service, "LiveKitTarget", functools.partial(LiveKitTarget, connect=room.connect))
    async with start(avatar_timeout=2.0) as running:
        running.livekit.rooms_there["demo"] = RoomFacts("demo", "RM_1", 0, 300, 20)
        running.livekit.people["demo"] = [room.avatar]
        yield running


async def until_heard(room: FakeRoom, seconds: float) -> None:
    async with asyncio.timeout(10):
        while sum(stream.position for stream in room.streams) < seconds:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", ["raw", "wav", "wav from a pipe"])
async def test_it_is_heard_before_it_has_arrived(speaking: Running, room: FakeRoom, kind: str) -> None:
    whole, headers = (samples(1.5), PCM) if kind == "raw" else (sound_file(1.5), {"Content-Type": "audio/wav"})
    if "pipe" in kind:
        whole = whole.replace(whole[40:44], b"\xff\xff\xff\xff", 1)

    async def body() -> AsyncIterator[bytes]:
        for at in range(0, len(whole) // 2, 3_001):
            yield whole[at : min(at + 3_001, len(whole) // 2)]
        await until_heard(room, 0.3)
        yield whole[len(whole) // 2 :]

    answer = await speaking.client.post(QUEUE, content=body(), params=WAIT, headers=headers)
    segment = answer.json()
    assert answer.status_code == 200, answer.text
    assert (segment["source"]["kind"], segment["state"], segment["receipt"]) == ("live", "finished", "confirmed")
    assert segment["position"] == pytest.approx(1.5, abs=0.05)
    assert segment["audio"]["duration"] == pytest.approx(1.5, abs=0.01)
    assert speaking.stored() == []


async def test_a_body_that_breaks_off_is_heard_as_far_as_it_came(speaking: Running, room: FakeRoom) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield samples(0.5)
        await until_heard(room, 0.2)
        raise httpx.ReadError("gone")

    with pytest.raises(httpx.ReadError):
        await speaking.client.post(QUEUE, content=body(), params=WAIT, headers=PCM)
    segment = (await speaking.client.get(QUEUE)).json()["segments"][0]
    ended = (await speaking.client.get(f"/v1/segments/{segment['id']}?wait=finished&timeout=5")).json()
    assert (ended["state"], ended["error"]["type"]) == ("failed", "bad-audio")
    assert ended["position"] == pytest.approx(0.5, abs=0.1)


async def test_what_is_cancelled_is_answered_before_its_body_has_ended(speaking: Running, room: FakeRoom) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield samples(2.0)
        await until_heard(room, 0.2)
        segment = (await speaking.client.get(QUEUE)).json()["segments"][0]
        await speaking.client.delete(f"/v1/segments/{segment['id']}")
        for _ in range(20):
            yield samples(0.1)
            await asyncio.sleep(0.01)

    answer = await speaking.client.post(QUEUE, content=body(), params=WAIT, headers=PCM)
    assert (answer.status_code, answer.json()["state"]) == (200, "interrupted")


@pytest.mark.parametrize(
    ("content", "headers", "slug", "field"),
    [
        (sound_file(format="FLAC"), {"Content-Type": "audio/flac"}, "unsupported-format", None),
        (sound_file(subtype="ULAW"), {}, "unsupported-format", None),
        (samples(), {"Content-Type": "audio/pcm"}, "bad-parameter", "Content-Type"),
        (samples(), PCM | {"Idempotency-Key": "k"}, "bad-parameter", "Idempotency-Key"),
        (b'{"text": "hello"}', {"Content-Type": "application/json"}, "unsupported-format", "Content-Type"),
        (b"RIFF", {}, "not-audio", None),
        (b"", {}, "not-audio", None),
        (b"RIFF\0\0\0\0WAVE" + b"LIST\0\0\1\0" + bytes(70_000), {}, "not-audio", None),
    ],
)
async def test_what_cannot_be_spoken_while_it_arrives_is_refused(
    speaking: Running, content: bytes, headers: dict[str, str], slug: str, field: str | None
) -> None:
    expect(await speaking.client.post(QUEUE, content=content, params=WAIT, headers=headers), slug, field)
    assert (await speaking.client.get(QUEUE)).json()["segments"] == []
