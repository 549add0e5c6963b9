"""Idempotency-Key over HTTP: sent twice, said once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.loopback.sender.bodies import samples, sound_file
from tests.loopback.sender.conftest import Running, Start
from tests.loopback.sender.test_early_responses import connected, status

QUEUE = "/v1/rooms/demo/segments"
SOUND = sound_file()
OTHER = sound_file(0.6)


async def post(sender: Running, key: str | None = "order-12", path: str = QUEUE, **how: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await sender.client.post(path, headers=headers | how.pop("headers", {}), **({"content": SOUND} | how))


def form(boundary: str, sound: bytes = SOUND, metadata: str = "") -> dict[str, Any]:
    lines = [f"--{boundary}", 'Content-Disposition: form-data; name="file"; filename="a.wav"', "", ""]
    body = "\r\n".join(lines).encode() + sound + b"\r\n"
    if metadata:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{metadata}\r\n'.encode()
    return {
        "content": body + f"--{boundary}--\r\n".encode(),
        "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    }


BODIES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "file": ({"content": SOUND}, {"content": SOUND, "headers": {"Content-Type": "audio/wav"}}, {"content": OTHER}),
    "form": (form("one"), form("two"), form("one", OTHER)),
    "form with metadata": (
        form("one", metadata='{"a": 1, "b": 2}'),
        form("two", metadata='{"b":2,"a":1}'),
        form("one", metadata='{"a": 2, "b": 2}'),
    ),
    "samples": (
        {"content": samples(), "headers": {"Content-Type": "audio/pcm;rate=16000"}},
        {"content": samples(), "headers": {"Content-Type": "audio/pcm; rate=16000; channels=1"}},
        {"content": samples(), "headers": {"Content-Type": "audio/pcm;rate=8000"}},
    ),
    "text": (
        {"content": b'{"text": "Hello.", "metadata": {"a": 1}}'},
        {"content": b'{"metadata":{"a":1},"text":"Hello."}'},
        {"content": b'{"text": "Hello!", "metadata": {"a": 1}}'},
    ),
}


@pytest.mark.parametrize("kind", BODIES)
async def test_the_same_request_is_the_same_segment_and_another_is_refused(sender: Running, kind: str) -> None:
    first, again, another = BODIES[kind]
    accepted = await post(sender, **first)
    assert accepted.status_code == 202, accepted.text
    assert accepted.json()["duplicate"] is False
    twice = await post(sender, '"order-12"', **again)
    assert (twice.status_code, twice.json()["duplicate"]) == (202, True), twice.text
    assert twice.json() == accepted.json() | {"duplicate": True}
    assert twice.headers["Location"] == accepted.headers["Location"]
    refused = await post(sender, **another)
    assert (refused.status_code, refused.json()["type"]) == (422, "idempotency-mismatch")
    assert refused.json()["field"] == "Idempotency-Key"
    listed = (await sender.client.get(QUEUE)).json()["segments"]
    assert [segment["id"] for segment in listed] == [accepted.json()["id"]]
    assert listed[0]["duplicate"] is False
    assert len(sender.stored()) == (kind != "text")


@pytest.mark.parametrize("changed", ["mode=interrupt", "tag=x", "expires_in=50", "avatar=avatar-mia"])
async def test_every_parameter_counts_but_those_that_say_when_to_answer(sender: Running, changed: str) -> None:
    first = await post(sender, path=f"{QUEUE}?mode=append&wait=queued")
    same = await post(sender, path=f"{QUEUE}?wait=finished&timeout=0")
    assert (same.status_code, same.json()["id"]) == (202, first.json()["id"])
    assert (await post(sender, path=f"{QUEUE}?{changed}")).status_code == 422


async def test_the_second_one_waits_as_it_says_and_is_answered_with_what_became_of_the_first(sender: Running) -> None:
    first = (await post(sender)).json()
    waiting = asyncio.create_task(post(sender, path=f"{QUEUE}?wait=finished&timeout=10"))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await sender.client.delete(f"/v1/segments/{first['id']}")
    answer = await waiting
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["duplicate"]) == ("cancelled", True)
    later = await post(sender)
    assert (later.status_code, later.json()["state"], later.json()["duplicate"]) == (202, "cancelled", True)


async def test_a_key_is_its_holders_and_its_rooms(start: Start) -> None:
    async with start(api_keys=["one", "two"]) as sender:
        ids = set()
        for holder in ("one", "two"):
            for room in ("a", "b"):
                headers = {"Authorization": f"Bearer {holder}"}
                answer = await post(sender, path=f"/v1/rooms/{room}/segments", headers=headers)
                assert answer.status_code == 202
                ids.add(answer.json()["id"])
        assert len(ids) == 4


async def test_while_the_first_one_arrives_the_second_conflicts(sender: Running) -> None:
    async with connected(sender, QUEUE, "Idempotency-Key: order-12", length=len(SOUND)) as (reader, writer):
        writer.write(SOUND[:1000])
        await writer.drain()
        await asyncio.sleep(0.2)
        conflict = await post(sender)
        assert (conflict.status_code, conflict.json()["type"]) == (409, "idempotency-conflict")
        assert conflict.headers["Retry-After"] == "1"
        writer.write(SOUND[1000:])
        await writer.drain()
        answer = await reader.read()
        assert status(answer) == 202
    accepted = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (await post(sender)).json()["id"] == accepted["id"]


async def test_a_client_that_went_away_leaves_its_key_free(sender: Running) -> None:
    async with connected(sender, QUEUE, "Idempotency-Key: order-12", length=len(SOUND)) as (_, writer):
        writer.write(SOUND[:1000])
        await writer.drain()
    for _ in range(100):
        if (answer := await post(sender)).status_code != 409:
            break
        await asyncio.sleep(0.05)
    assert (answer.status_code, answer.json()["duplicate"]) == (202, False)


async def test_a_refusal_is_not_stored(sender: Running) -> None:
    assert (await post(sender, content=b"no sound")).status_code == 400
    assert (await post(sender, path=f"{QUEUE}?tag={'x' * 201}")).status_code == 400
    accepted = await post(sender)
    assert (accepted.status_code, accepted.json()["duplicate"]) == (202, False)


async def test_many_at_once_are_one(sender: Running) -> None:
    answers = await asyncio.gather(*(post(sender) for _ in range(12)))
    accepted = [answer.json() for answer in answers if answer.status_code == 202]
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({segment["id"] for segment in accepted}) == 1
    assert [segment["duplicate"] for segment in accepted].count(False) == 1


@pytest.mark.parametrize("key", ["", '""', '"open', "two words", "a" * 256])
async def test_a_malformed_key_is_refused(sender: Running, key: str) -> None:
    refused = await post(sender, key)
    assert (refused.status_code, refused.json()["type"]) == (400, "bad-parameter")
    assert refused.json()["field"] == "Idempotency-Key"
    assert sender.stored() == []


@pytest.mark.parametrize("path", ["/v1/rooms", "/v1/rooms/demo/interrupt", "/v1/rooms/demo/tokens"])
async def test_other_calls_refuse_a_key_rather_than_ignore_it(sender: Running, path: str) -> None:
    refused = await post(sender, path=path, content=b"{}")
    assert (refused.status_code, refused.json()["field"]) == (400, "Idempotency-Key")


async def test_a_key_holds_over_a_restart(start: Start) -> None:
    async with start() as sender:
        first = (await post(sender)).json()
    async with start() as sender:
        again = await post(sender)
        assert again.json()["id"] == first["id"]
        assert again.json()["duplicate"] is True
        assert (await post(sender, content=OTHER)).status_code == 422
