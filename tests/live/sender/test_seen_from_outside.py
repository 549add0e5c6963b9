"""Figures and the trace of a segment that a real avatar says in a real room."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.agents.services import AvatarServer
from tests.live.sender.conftest import start_avatar
from tests.live.sender.test_service import running_service
from tests.live.viewer import Viewer, viewer_token
from tests.loopback.sender.bodies import sound_file
from tests.loopback.sender.collector import attributes, collecting


async def figures(client: httpx.AsyncClient) -> dict[str, float]:
    lines = (line.rsplit(" ", 1) for line in (await client.get("/metrics")).text.splitlines() if line[0] != "#")
    return {name: float(value) for name, value in lines}


async def test_one_trace_and_the_figures_of_it(
    livekit: LiveKit, avatar_server: AvatarServer, room_name: str, tmp_path: Path
) -> None:
    await start_avatar(livekit, avatar_server, room_name)
    queue = f"/v1/rooms/{room_name}/segments"
    with collecting() as collector:
        async with (
            running_service(livekit, tmp_path / "data", traces=collector.url) as client,
            Viewer(livekit.url, viewer_token(livekit, room_name)) as viewer,
        ):
            await viewer.ready()
            for body in ({"content": sound_file(1.0)}, {"json": {"text": "Hello."}}):
                answer = await client.post(queue, params={"wait": "finished", "timeout": 30}, **body)
                assert (answer.json()["state"], answer.json()["receipt"]) == ("finished", "confirmed")
            await client.get(queue)
            seen = await figures(client)
    assert seen["mouthpiece_first_sound_seconds_count"] == 2
    assert seen['mouthpiece_receipts_total{profile="mouthpiece",receipt="confirmed"}'] == 2
    assert (seen["mouthpiece_rooms"], seen["mouthpiece_reconnects_total"]) == (1, 0)

    spans = collector.spans
    traces = {span.trace_id for span in spans}
    assert len(traces) == 2
    for trace in traces:
        names = {span.name for span in spans if span.trace_id == trace}
        assert {"segment", "accept", "queue", "attempt", "sound"} < names
    assert {"decode", "voice"} < {span.name for span in spans}
    begun = 0.0
    for root in (span for span in spans if span.name == "segment"):
        (attempt,) = (span for span in spans if span.name == "attempt" and span.trace_id == root.trace_id)
        (first,) = attempt.events
        begun += (first.time_unix_nano - root.start_time_unix_nano) / 1e9
        assert attributes(root)["mouthpiece.receipt"] == "confirmed"
    assert seen["mouthpiece_first_sound_seconds_sum"] == pytest.approx(begun, abs=0.001)
