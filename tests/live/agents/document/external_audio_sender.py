"""The sender of Avaluma's document on external audio, written anew with its calls, in its order, with its omissions.

It registers no receipts, does not make itself seen, does not pace, and sends a stream as one write.
"""

import asyncio
import os
import uuid
import wave
from pathlib import Path

from livekit import api, rtc

WAV = Path(__file__).parent / "assets" / "hello_world_16kHz.wav"


def load(path: Path) -> tuple[bytes, int, int]:
    with wave.open(str(path), "rb") as file:
        return file.readframes(file.getnframes()), file.getframerate(), file.getnchannels()


async def avatar_of(room: rtc.Room) -> rtc.RemoteParticipant:
    joined: asyncio.Future[rtc.RemoteParticipant] = asyncio.get_running_loop().create_future()

    def on_connected(participant: rtc.RemoteParticipant) -> None:
        if participant.identity.startswith("avatar-") and not joined.done():
            joined.set_result(participant)

    for participant in room.remote_participants.values():
        on_connected(participant)
    room.on("participant_connected", on_connected)
    try:
        return await joined
    finally:
        room.off("participant_connected", on_connected)


async def run(room_name: str, interval: float = 5.0) -> None:
    token = (
        api.AccessToken(os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])
        .with_identity("external-audio-sender")
        .with_name("External Audio Sender")
        .with_grants(api.VideoGrants(room_join=True, room=room_name))
        .with_kind("agent")
        .to_jwt()
    )
    room = rtc.Room()
    await room.connect(os.environ["LIVEKIT_URL"], token)
    room.register_byte_stream_handler("lk.agent.session", lambda _reader, _identity: None)
    sound, sample_rate, num_channels = load(WAV)
    avatar = await avatar_of(room)
    for number in range(1, 1_000):
        await asyncio.sleep(interval)
        writer = await room.local_participant.stream_bytes(
            name=f"AUDIO_{uuid.uuid4().hex[:8]}",
            topic="lk.audio_stream",
            destination_identities=[avatar.identity],
            attributes={"sample_rate": str(sample_rate), "num_channels": str(num_channels)},
        )
        await writer.write(sound)
        await writer.aclose()
        print(f"the document's sender has sent segment {number}", flush=True)  # noqa: T201
