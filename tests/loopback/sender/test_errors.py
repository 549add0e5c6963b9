"""Each thing that can be wrong with a request has its answer, and leaves nothing on disk."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from mouthpiece_sender.api.models import ProblemDetails
from mouthpiece_sender.api.problems import KINDS
from tests.loopback.sender.bodies import samples, sound_file
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.sender.fakes import avatar

QUEUE = "/v1/rooms/demo/segments"


def expect(answer: httpx.Response, slug: str, field: str | None = None) -> str:
    """Checks that it is this problem, and returns its sentence."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    problem = ProblemDetails.model_validate(answer.json())
    assert (problem.type, problem.status, problem.title) == (slug, KINDS[slug].status, KINDS[slug].title), answer.text
    assert answer.status_code == problem.status
    assert problem.field == field, answer.text
    return problem.detail


WRONG_SOUNDS: dict[str, tuple[bytes, str, str]] = {
    "text": (b"Hello, this is no sound at all." * 20, "audio/wav", "not-audio"),
    "empty": (b"", "audio/wav", "not-audio"),
    "header only": (sound_file()[:44], "audio/wav", "truncated-audio"),
    "cut off": (sound_file(2)[:-20_000], "audio/wav", "truncated-audio"),
    "MIDI": (b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0", "audio/midi", "unsupported-format"),
    "odd samples": (samples() + b"x", "audio/pcm;rate=16000", "bad-audio"),
    "no samples": (b"", "audio/pcm;rate=16000", "not-audio"),
}


@pytest.mark.parametrize("what", WRONG_SOUNDS)
async def test_what_is_no_sound_is_refused(sender: Running, what: str) -> None:
    body, kind, slug = WRONG_SOUNDS[what]
    answer = await sender.client.post(QUEUE, content=body, headers={"Content-Type": kind})
    expect(answer, slug)
    assert sender.stored() == []
    assert (await sender.client.get(QUEUE)).json()["segments"] == []


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("image/png", "Content-Type"),
        ("text/plain", "Content-Type"),
        ("video/x-msvideo", "Content-Type"),
    ],
)
async def test_bodies_of_other_kinds_are_refused(sender: Running, kind: str, field: str) -> None:
    answer = await sender.client.post(QUEUE, content=b'{"text": "hello"}', headers={"Content-Type": kind})
    expect(answer, "unsupported-format", field)


@pytest.mark.parametrize(
    "kind",
    [
        *("audio/pcm", "audio/L16;rate=x", "audio/pcm;rate=1", "audio/pcm;rate=8000;channels=9"),
        *(f"audio/pcm;rate={'1' * 5_000}", f"audio/pcm;rate=8000;channels={'1' * 5_000}", "audio/pcm;rate=1000000"),
    ],
)
async def test_raw_samples_must_say_what_they_are(sender: Running, kind: str) -> None:
    answer = await sender.client.post(QUEUE, content=samples(), headers={"Content-Type": kind})
    assert "rate" in expect(answer, "bad-parameter", "Content-Type")


@pytest.mark.parametrize("kind", ["audio/L24;rate=24000", "audio/basic", "audio/x-raw;rate=8000"])
async def test_samples_of_another_form_are_refused_by_name(sender: Running, kind: str) -> None:
    answer = await sender.client.post(QUEUE, content=samples(), headers={"Content-Type": kind})
    assert kind.partition(";")[0].lower() in expect(answer, "unsupported-format", None)
    file = await sender.client.post(QUEUE, content=sound_file(), headers={"Content-Type": kind})
    assert file.status_code == 202


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("mode=shout", "mode"),
        ("wait=forever", "wait"),
        ("timeout=-1", "timeout"),
        ("timeout=1e9", "timeout"),
        ("timeout=soon", "timeout"),
        ("timeout=nan", "timeout"),
        ("expires_in=0", "expires_in"),
        ("expires_in=inf", "expires_in"),
        ("on_loss=cry", "on_loss"),
        ("interruptible=perhaps", "interruptible"),
        ("wait_for_viewer=2", "wait_for_viewer"),
        ("avatar=", "avatar"),
        ("volume=11", "volume"),
        ("live=perhaps", "live"),
    ],
)
async def test_parameters_are_checked_by_name(sender: Running, query: str, field: str) -> None:
    answer = await sender.client.post(f"{QUEUE}?{query}", content=sound_file())
    assert field in expect(answer, "bad-parameter", field)


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("GET", f"{QUEUE}?state=asleep", "state"),
        ("GET", f"{QUEUE}?limit=0", "limit"),
        ("GET", f"{QUEUE}?limit=201", "limit"),
        ("GET", f"{QUEUE}?after=yesterday", "after"),
        ("GET", f"{QUEUE}?before=x", "before"),
        ("GET", "/v1/segments/seg_1?wait=ages", "wait"),
        ("DELETE", "/v1/segments/seg_1?purge=maybe", "purge"),
        ("POST", "/v1/rooms/demo/interrupt?queued=drop", "queued"),
        ("GET", "/v1/rooms?limit=3", "limit"),
        ("GET", "/v1/rooms/%20demo", "room"),
        ("GET", f"/v1/rooms/{'x' * 257}", "room"),
        ("GET", "/v1/rooms/a%00b", "room"),
    ],
)
async def test_other_calls_check_theirs_too(sender: Running, method: str, path: str, field: str) -> None:
    answer = await sender.client.request(method, path)
    found = answer.json()["field"].split(".")[0]
    assert field in expect(answer, "bad-parameter", answer.json()["field"])
    assert found == field


@pytest.mark.parametrize(
    ("path", "body", "slug", "field"),
    [
        ("/v1/rooms/demo/interrupt", b'{"queued": "burn"}', "bad-parameter", "queued"),
        ("/v1/rooms/demo/interrupt", b'{"all": true}', "bad-parameter", "all"),
        ("/v1/rooms/demo/interrupt", b"[]", "bad-body", None),
        ("/v1/rooms/demo/interrupt", b"queued=drop", "bad-body", None),
        ("/v1/rooms/demo/interrupt", b"\xff", "bad-body", "Content-Type"),
        ("/v1/rooms/demo/interrupt", b" " * 70_000, "too-large", None),
        ("/v1/rooms", b"[" * 60_000, "bad-body", None),
        ("/v1/rooms", b'{"room":' * 8_000, "bad-body", None),
        ("/v1/rooms/demo/tokens", b'{"name": ' + b"1" * 5_000 + b"}", "bad-body", None),
        (QUEUE, b'{"text":' * 60_000, "bad-body", None),
        ("/v1/rooms", b'{"room": 3}', "bad-parameter", "room"),
        ("/v1/rooms", b'{"room": "a/b"}', "bad-parameter", "room"),
        ("/v1/rooms", b'{"room": ""}', "bad-parameter", "room"),
        ("/v1/rooms", b'{"avatar": {"provider": "acme"}}', "bad-parameter", "avatar.provider"),
        ("/v1/rooms", b'{"avatar": {"id": "a b"}}', "bad-parameter", "avatar.id"),
        ("/v1/rooms", b'{"empty_timeout": 0}', "bad-parameter", "empty_timeout"),
        ("/v1/rooms", b'{"identity": "avatar-x"}', "reserved-identity", None),
        ("/v1/rooms/demo/tokens", b'{"identity": "agent-x"}', "reserved-identity", None),
        ("/v1/rooms/demo/tokens", b'{"identity": "external-audio-sender"}', "reserved-identity", None),
        ("/v1/rooms/demo/tokens", b'{"name": 5}', "bad-parameter", "name"),
    ],
)
async def test_json_bodies_are_checked(sender: Running, path: str, body: bytes, slug: str, field: str | None) -> None:
    expect(await sender.client.post(path, content=body), slug, field)


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/rooms/", "/nothing", "/assets/../index.html.bak"])
async def test_other_addresses_are_not_found(sender: Running, path: str) -> None:
    expect(await sender.client.get(path), "not-found")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_unknown_segments_are_not_found(sender: Running, method: str) -> None:
    assert "seg_none" in expect(await sender.client.request(method, "/v1/segments/seg_none"), "segment-not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", "/v1/rooms", "GET, POST"), ("GET", "/v1/rooms/demo/interrupt", "POST"), ("POST", "/healthz", "GET, HEAD")],
)
async def test_a_wrong_method_is_answered_with_the_right_ones(
    sender: Running, method: str, path: str, allowed: str
) -> None:
    answer = await sender.client.request(method, path)
    expect(answer, "method-not-allowed")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large_is_refused(start: Start, chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield bytes(100_000)

    async with start(max_upload=1) as sender:
        content: Any = pieces() if chunked else bytes(3_000_000)
        answer = await sender.client.post(QUEUE, content=content)
        assert "1 MB" in expect(answer, "too-large")
        assert sender.stored() == []
        small = await sender.client.post(QUEUE, content=sound_file())
        assert small.status_code == 202


@pytest.mark.parametrize("kind", ["audio/wav", "audio/pcm;rate=16000"])
async def test_a_sound_that_is_too_long_is_refused(start: Start, kind: str) -> None:
    body = samples(2) if "pcm" in kind else sound_file(2)
    async with start(max_seconds=1.5) as sender:
        answer = await sender.client.post(QUEUE, content=body, headers={"Content-Type": kind})
        expect(answer, "too-long")
        assert sender.stored() == []


async def test_a_full_queue_says_when_to_retry(start: Start) -> None:
    async with start(max_queue=2) as sender:
        for _ in range(2):
            await sender.speak("demo", sound_file())
        answer = await sender.client.post(QUEUE, content=sound_file())
        expect(answer, "queue-full")
        assert int(answer.headers["Retry-After"]) > 0
        assert len(sender.stored()) == 2
        await sender.speak("other", sound_file())


async def test_a_full_disk_is_reported(start: Start) -> None:
    async with start(min_free=10**9) as sender:
        expect(await sender.client.post(QUEUE, content=sound_file()), "store-full")
        assert sender.stored() == []


async def test_several_avatars_and_none_named(sender: Running) -> None:
    await sender.livekit.create_room("demo", empty_timeout=1, departure_timeout=1)
    sender.livekit.people["demo"] = [avatar("one"), avatar("two")]
    answer = await sender.client.post(QUEUE, content=sound_file())
    assert "avatar-one, avatar-two" in expect(answer, "avatar-ambiguous")
    assert sender.stored() == []
    named = await sender.client.post(QUEUE, content=sound_file(), params={"avatar": "avatar-two"})
    assert named.status_code == 202


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", QUEUE), ("POST", "/v1/rooms"), ("GET", "/v1/rooms"), ("GET", "/v1/rooms/demo"), ("GET", "/readyz")],
)
async def test_livekit_away_is_reported(sender: Running, method: str, path: str) -> None:
    sender.livekit.away = True
    body = sound_file() if path == QUEUE else b""
    answer = await sender.client.request(method, path, content=body)
    expect(answer, "livekit-unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert sender.stored() == []


async def test_a_fault_of_ours_tells_no_more_than_that(sender: Running) -> None:
    sender.livekit.rooms_there["demo"] = None  # type: ignore[assignment]  # breaks what reads it
    expect(await sender.client.get("/v1/rooms"), "internal")


@pytest.mark.parametrize("sent", [b"", sound_file()[:1000]])
async def test_a_body_that_breaks_off_leaves_nothing(sender: Running, sent: bytes) -> None:
    host, port = sender.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {QUEUE} HTTP/1.1\r\nHost: {host}\r\nContent-Type: audio/wav\r\nContent-Length: 100000\r\n\r\n"
    writer.write(head.encode() + sent)
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
    assert b"202" not in await reader.read()
    writer.close()
    await sender.speak("demo", sound_file())
    assert len(sender.stored()) == 1


async def test_a_refused_connection_can_be_used_again(sender: Running) -> None:
    """Keep-alive: the rest of a refused body is drained, so that the next request can follow."""
    host, port = sender.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for kind, status in (("image/png", b"415"), ("audio/wav", b"202")):
        body = sound_file()
        writer.write(
            f"POST {QUEUE} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert status in head.splitlines()[0]
        length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.startswith(b"content-length"))
        await reader.readexactly(length)
    writer.close()


async def test_a_form_without_a_file_is_reported(sender: Running) -> None:
    expect(await sender.client.post(QUEUE, files={"sound": sound_file()}), "bad-body", "file")


@pytest.mark.parametrize("body", [b'{"text": "Hello."}', b"RIFF"])
async def test_on_a_full_disk_nothing_is_taken_a_text_neither(start: Start, body: bytes) -> None:
    async with start(min_free=10**9) as sender:
        answer = await sender.client.post("/v1/rooms/demo/segments", content=body)
        assert (answer.status_code, answer.json()["type"]) == (507, "store-full")
        assert (await sender.client.get("/v1/rooms/demo/segments")).json()["segments"] == []
        assert sender.stored() == []
