"""The whole service is killed the instant after it answered 202, and started again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.loopback.sender.bodies import samples, sound_file
from tests.loopback.sender.test_serve_command import LIVEKIT
from tests.loopback.serving import address, serve

QUEUE = "/v1/rooms/demo/segments"
KINDS: list[dict[str, Any]] = [
    {"content": sound_file()},
    {"content": samples(order=">"), "headers": {"Content-Type": "audio/L16;rate=16000"}},
    {"json": {"text": "Hello.", "metadata": {"order": 12}}},
]


async def test_what_was_accepted_waits_on_and_is_said_once_when_it_is_sent_again(tmp_path: Path) -> None:
    accepted: list[dict[str, Any]] = []
    for turn in range(len(KINDS) + 1):
        async with serve(tmp_path, "--port", "0", **LIVEKIT, MOUTHPIECE_AVATAR_TIMEOUT="600") as serving:
            url = address(await serving.said("listening on"))
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
                listed = (await client.get(QUEUE)).json()["segments"]
                assert [one["id"] for one in listed] == [one["id"] for one in accepted[::-1]]
                assert {one["state"] for one in listed} <= {"queued"}
                for number, earlier in enumerate(accepted):
                    again = await post(client, number)
                    assert (again["id"], again["duplicate"]) == (earlier["id"], True)
                    assert again["source"] == earlier["source"]
                if turn < len(KINDS):
                    accepted.append(await post(client, turn))
                    assert accepted[-1]["duplicate"] is False
                serving.process.kill()
            await serving.ended()
    assert len(list((tmp_path / "data" / "sounds").iterdir())) == 2


async def post(client: httpx.AsyncClient, number: int) -> dict[str, Any]:
    given = dict(KINDS[number])
    headers = {"Idempotency-Key": f"order-{number}"} | given.pop("headers", {})
    answer = await client.post(QUEUE, params={"avatar": "avatar-x"}, headers=headers, **given)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())
