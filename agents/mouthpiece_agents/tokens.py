"""The token that the avatar joins with."""

from __future__ import annotations

import datetime

from livekit import api

from mouthpiece import wire

LIFETIME = datetime.timedelta(hours=1)
"""It is used once, to join; a connected participant outlives its token, which the server renews."""


def avatar_token(
    api_key: str, api_secret: str, *, room: str, avatar_id: str, agent_identity: str, own_attributes: bool
) -> str:
    """A token as Avaluma's plugin makes it: agent kind, identity and name ``avatar-<id>``, on behalf of the agent.

    ``own_attributes`` grants more than theirs: livekit-server ignores a participant's ``set_attributes`` without
    ``can_update_own_metadata`` (1.13.5: no error, no effect), and our avatar says that it listens by an attribute.
    """
    identity = wire.avatar_identity(avatar_id)
    grants = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=own_attributes or None)
    return (
        api.AccessToken(api_key, api_secret)
        .with_kind("agent")
        .with_identity(identity)
        .with_name(identity)
        .with_grants(grants)
        .with_attributes({wire.ATTR_PUBLISH_ON_BEHALF: agent_identity})
        .with_ttl(LIFETIME)
        .to_jwt()
    )
