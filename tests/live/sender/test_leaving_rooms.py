"""A room that the sender has left leaves nothing behind, in its memory, its log and the room."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from livekit import rtc

from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.livekit.connection import NotAnswered
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from tests.live.viewer import viewer_token

TIMES = 30
SETTLED = 10
"""Joins after which the SDK has what it needs for good."""
MOST = 6_000_000
"""Bytes that the others may leave: the SDK by itself leaks half a megabyte and more each time."""


async def test_it_leaves_nothing_behind(livekit: LiveKit, access: LiveKitAccess, room_name: str) -> None:
    seen: list[str] = []
    another = rtc.Room()
    another.on("participant_connected", lambda participant: seen.append(f"{participant.identity} came"))
    another.on("participant_disconnected", lambda participant: seen.append(f"{participant.identity} left"))
    await another.connect(livekit.url, viewer_token(livekit, room_name))
    await another.local_participant.publish_track(
        rtc.LocalAudioTrack.create_audio_track("voice", rtc.AudioSource(48_000, 1))
    )
    try:
        arguments = (livekit.url, livekit.api_key, livekit.api_secret, room_name, str(TIMES))
        script = str(Path(__file__).with_name("leaving_rooms.py"))
        process = await asyncio.create_subprocess_exec(
            sys.executable, script, *arguments, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        await asyncio.sleep(0.5)
    finally:
        await another.disconnect()
    found = json.loads(out)
    assert process.returncode == 0
    assert found["others"] == [1] * TIMES
    assert found["answered"] == str(NotAnswered.NONE)
    assert sorted(set(found["logged"])) == []
    assert seen == ["external-audio-sender came", "external-audio-sender left"] * TIMES
    assert found["resident"][-1] - found["resident"][SETTLED] < MOST
