from livekit import api, rtc

from mouthpiece_sender.demo.livekit_server import LiveKit


async def test_a_participant_joins_a_room(livekit: LiveKit, room_name: str) -> None:
    token = (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_identity("viewer")
        .with_grants(api.VideoGrants(room_join=True, room=room_name))
        .to_jwt()
    )
    room = rtc.Room()
    await room.connect(livekit.url, token)
    assert room.name == room_name
    await room.disconnect()
