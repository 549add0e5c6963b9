"""``MOUTHPIECE_LOG_FORMAT=json``: what a segment came to, by its id and its request's, and none of its words."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Iterator

import pytest

from mouthpiece.process.json_logs import LogFormat
from mouthpiece.process.logs import set_up_service_logs
from mouthpiece_sender import service
from mouthpiece_sender.livekit.server_api import RoomFacts
from mouthpiece_sender.livekit.target import LiveKitTarget
from mouthpiece_sender.logs import FIELDS
from tests.loopback.sender.conftest import Start
from tests.loopback.sender.fakes import avatar
from tests.unit.sender.fake_connection import FakeRoom

KEY = "a-key-that-nobody-may-read-in-a-log"
NAMES = ("", "mouthpiece_sender", "livekit")


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in NAMES}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


async def test_a_segment_is_followed_from_its_request_to_its_end(
    start: Start, logs_as_before: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_service_logs("mouthpiece_sender", verbose=False, form=LogFormat.JSON, fields=FIELDS)
    room = FakeRoom(avatar("mia"))
    monkeypatch.setattr(service, "LiveKitTarget", functools.partial(LiveKitTarget, connect=room.connect))
    async with start(log_format=LogFormat.JSON, api_keys=[KEY]) as sender:
        sender.livekit.rooms_there["secret-room"] = RoomFacts("secret-room", "RM_1", 0, 300, 20)
        sender.livekit.people["secret-room"] = [room.avatar]
        headers = {"Authorization": f"Bearer {KEY}", "X-Request-Id": "order-17"}
        answer = await sender.client.post(
            "/v1/rooms/secret-room/segments",
            json={"text": "Nobody's business."},
            headers=headers,
            params={"wait": "finished", "timeout": 30, "tag": "private"},
        )
        assert answer.headers["X-Request-Id"] == "order-17"
        segment = answer.json()
        assert segment["state"] == "finished"
        await sender.client.get("/v1/rooms/secret-room/segments", headers=headers)  # its end is written by then
    written = capsys.readouterr().err
    lines = [json.loads(line) for line in written.splitlines()]
    about = [line for line in lines if line.get("segment") == segment["id"]]
    assert [line["message"] for line in about] == ["a segment was accepted", "a segment ended"]
    assert {line["request"] for line in about} == {"order-17"}
    assert (about[-1]["state"], about[-1]["receipt"], about[-1]["profile"]) == ("finished", "confirmed", "mouthpiece")
    for secret in ("business", "secret-room", "avatar-mia", KEY, "private"):
        assert secret not in written
