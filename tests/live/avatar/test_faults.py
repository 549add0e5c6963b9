"""The avatar server with a fault: ``--fault``."""

from __future__ import annotations

from pathlib import Path

import httpx

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.avatar.conftest import AVATAR, Join, avatar_token, running_avatar_server, start_avatar
from tests.live.viewer import Viewer, viewer_token
from tests.sounds import Tone


async def test_our_avatar_is_silent_and_reports_half_where_its_fault_says_so(
    livekit: LiveKit, room_name: str, join: Join, tmp_path: Path
) -> None:
    fault = "silent@1+receipt-short:0.5"
    with running_avatar_server(tmp_path / "avatar.log", "--fault", fault, LIVEKIT_URL=livekit.url) as server:
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=60) as http,
            Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer,
            join() as speaker,
        ):
            answer = await start_avatar(http, livekit, avatar_token(livekit, room_name))
            assert answer.status_code == 200, answer.text
            await viewer.ready()
            await speaker.say(Tone(1.0).samples.tobytes())
            (silent,) = await speaker.finished(1)
            assert viewer.loud_seconds() < 0.05
            await speaker.say(Tone(1.0).samples.tobytes())
            _, loud = await speaker.finished(2)
            await viewer.until(lambda: viewer.loud_seconds() > 0.8)
    assert abs(silent.playback_position - 0.5) < 0.01
    assert abs(loud.playback_position - 0.5) < 0.01
    assert "does something wrong on purpose: silent@1+receipt-short:0.5" in server.log.read_text()
