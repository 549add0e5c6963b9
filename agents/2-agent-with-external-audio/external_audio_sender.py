"""The sender of Avaluma's document on external audio, with the package `livekit` alone, made to be heard each time.

It joins the room as a participant of its own and streams a WAV file to the avatar again and again. Mouthpiece's own
sender does more (docs/wire.md): a queue, interrupts, absences, several avatars, exact receipts.
"""

import asyncio
import os
import uuid
import wave

from livekit import api, rtc

AUDIO_STREAM_TOPIC = "lk.audio_stream"
WAV_PATH = os.path.join(os.path.dirname(__file__), "assets/hello_world_16kHz.wav")
AHEAD = 2.0
"""Seconds of sound that are sent before they are played."""
PIECE = 0.1
"""Seconds."""


def _token(room_name: str, identity: str) -> str:
    return (
        api.AccessToken(os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])
        .with_identity(identity)
        .with_name("External Audio Sender")
        .with_attributes({"lk.publish_on_behalf": identity})  # else it is taken for the agent
        .with_grants(api.VideoGrants(room_join=True, room=room_name))
        .with_kind("agent")  # avatars accept streams from participants of agent kind alone
        .to_jwt()
    )


async def _listening(room: rtc.Room) -> str:
    """Return the avatar's identity once it answers; one without the method is given three seconds."""
    unanswered = 0.0
    while True:
        for identity in [who for who in room.remote_participants if who.startswith("avatar-")]:
            try:
                answer = await room.local_participant.perform_rpc(
                    destination_identity=identity, method="lk.clear_buffer", payload=""
                )
            except rtc.RpcError:
                unanswered += 0.2
                answer = "ok" if unanswered >= 3 else ""
            if answer == "ok":
                return identity
        await asyncio.sleep(0.2)


async def _send(room: rtc.Room, identity: str, ended: asyncio.Event) -> None:
    """Stream the file and wait until it was played, or could have been."""
    with wave.open(WAV_PATH, "rb") as wav:
        rate, channels = wav.getframerate(), wav.getnchannels()
        frames = wav.readframes(wav.getnframes())
    ended.clear()
    writer = await room.local_participant.stream_bytes(
        name=f"AUDIO_{uuid.uuid4().hex[:8]}",
        topic=AUDIO_STREAM_TOPIC,
        destination_identities=[identity],
        attributes={"sample_rate": str(rate), "num_channels": str(channels)},
    )
    loop = asyncio.get_running_loop()
    began, a_second = loop.time(), rate * channels * 2
    try:
        for start in range(0, len(frames), size := int(a_second * PIECE) // (channels * 2) * channels * 2):
            await asyncio.sleep(max(0.0, start / a_second - AHEAD - (loop.time() - began)))
            await writer.write(frames[start : start + size])
    finally:
        await writer.aclose()  # the end of the segment; a stream that is left open deafens the avatar
    try:
        async with asyncio.timeout(began + len(frames) / a_second + 2 - loop.time()):
            await ended.wait()
    except TimeoutError:
        pass  # an avatar that reports no end


async def run(room_name: str, interval: float = 5.0) -> None:
    """Join the room, wait for the avatar, and speak the file with ``interval`` seconds after each end."""
    room, ended = rtc.Room(), asyncio.Event()
    identity = f"external-audio-sender-{uuid.uuid5(uuid.NAMESPACE_URL, room_name).hex[:8]}"  # one a room
    await room.connect(os.environ["LIVEKIT_URL"], _token(room_name, identity))
    room.register_byte_stream_handler("lk.agent.session", lambda _reader, _identity: None)

    @room.local_participant.register_rpc_method("lk.playback_started")
    async def _started(_: rtc.RpcInvocationData) -> str:
        return ""

    @room.local_participant.register_rpc_method("lk.playback_finished")
    async def _finished(_: rtc.RpcInvocationData) -> str:  # an avatar that gets no answer is deaf after the third
        ended.set()
        return ""

    try:
        # without a track a participant is announced up to 3 s late, and the first segment would reach nobody
        presence = await room.local_participant.publish_data_track(name="external-audio")
        while True:
            avatar = await _listening(room)
            await _send(room, avatar, ended)
            print(f"said {os.path.basename(WAV_PATH)} through {avatar}", flush=True)
            await asyncio.sleep(interval)
    finally:
        await asyncio.sleep(0.3)  # the answer to the last receipt leaves first
        await room.disconnect()
        del presence
