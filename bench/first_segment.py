"""How many first segments arrive whole, when a sender joins and speaks at once: ours, and the sender of Avaluma's
document on external audio.

The receiver is livekit-agents' stock ``DataStreamAudioReceiver`` in a process of its own, a new one for every trial::

    python bench/first_segment.py [--trials 100] [--document-trials 10] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import statistics
import sys
import time
import uuid
from pathlib import Path

from livekit import rtc

from mouthpiece.segments import Source, State, new_segment_id
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.gateway import Gateway
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi
from mouthpiece_sender.livekit.target import LiveKitTarget
from mouthpiece_sender.storage.memory_journal import MemoryJournal
from mouthpiece_sender.target import SpeakRequest

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench import services

from tests.sounds import Tone

SECONDS = 1.0
RATE = 16_000


async def receiver(url: str, token: str) -> None:
    """The child: prints how many seconds of the first segment arrived."""
    from livekit.agents.voice.avatar import AudioSegmentEnd, DataStreamAudioReceiver

    room = rtc.Room()
    await room.connect(url, token)
    print("ready", flush=True)
    stock = DataStreamAudioReceiver(room)
    await stock.start()
    heard = 0.0
    async for frame in stock:
        if isinstance(frame, AudioSegmentEnd):
            stock.notify_playback_finished(heard, False)
            print(heard, flush=True)
            heard = 0.0
        else:
            heard += frame.duration


async def ours(livekit: LiveKit, room: str) -> bool:
    """One sender that joins and speaks; whether a receipt says that all of it was played."""
    access = LiveKitAccess(livekit.url, livekit.api_key, livekit.api_secret)
    async with LiveKitApi(access) as server:
        target = LiveKitTarget(access, server, instance=secrets.token_hex(3), avatar_timeout=10)
        async with Gateway(target, MemoryJournal()) as gateway:
            request = SpeakRequest(room, Tone(SECONDS, sample_rate=RATE), Source("file"), new_segment_id())
            segment = await gateway.speak(request)
            return (await gateway.wait(segment.id, "finished", 15)).state is State.FINISHED


async def document(livekit: LiveKit, room_name: str) -> bool:
    """As the document's sender does it, without its sleep: join, find the avatar, stream, close."""
    room = rtc.Room()
    await room.connect(livekit.url, services.token(livekit, "external-audio-sender", room=room_name))
    try:
        while not (found := [p for p in room.remote_participants.values() if p.identity.startswith("avatar-")]):
            await asyncio.sleep(0.02)
        writer = await room.local_participant.stream_bytes(
            name=f"AUDIO_{uuid.uuid4().hex[:8]}",
            topic="lk.audio_stream",
            destination_identities=[found[0].identity],
            attributes={"sample_rate": str(RATE), "num_channels": "1"},
        )
        await writer.write(Tone(SECONDS, sample_rate=RATE).samples.tobytes())
        await writer.aclose()
        await asyncio.sleep(4)  # it stays in the room: nothing is lost by leaving early
        return True
    finally:
        await room.disconnect()


async def trial(livekit: LiveKit, way: str) -> tuple[bool, float]:
    """Whether the first segment arrived whole, and after how many seconds."""
    room = f"first-{uuid.uuid4().hex[:8]}"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--receiver",
        livekit.url,
        services.token(livekit, "avatar-bench", room=room),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        began = time.monotonic()
        send = asyncio.create_task((ours if way == "ours" else document)(livekit, room))
        try:
            async with asyncio.timeout(8):
                heard = float(await process.stdout.readline() or 0)
        except TimeoutError:
            heard = 0.0
        took = time.monotonic() - began
        confirmed = await send
        return confirmed and abs(heard - SECONDS) < 0.001, took
    finally:
        process.kill()
        await process.communicate()


async def main(arguments: argparse.Namespace) -> None:
    figures = {}
    async with services.server() as livekit:
        for way, trials in (("ours", arguments.trials), ("document", arguments.document_trials)):
            results = []
            for number in range(trials):
                results.append(await trial(livekit, way))
                print(f"\r{way}: {number + 1}/{trials}", end="", file=sys.stderr, flush=True)
            print(file=sys.stderr)
            whole = [took for arrived, took in results if arrived]
            figures[way] = {
                "trials": trials,
                "whole": len(whole),
                "median_seconds_to_the_end": round(statistics.median(whole), 3) if whole else None,
            }
    if arguments.json:
        print(json.dumps(figures))
        return
    for way, figure in figures.items():
        print(
            f"{way:<10} {figure['whole']} of {figure['trials']} first segments of {SECONDS:g} s arrived whole", end=""
        )
        print(f", by {figure['median_seconds_to_the_end']} s (median)" if figure["whole"] else "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--document-trials", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--receiver", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    asyncio.run(receiver(*given.receiver) if given.receiver else main(given))
