"""The avatar's token, as the avatar server's protocol wants it."""

import pytest
from livekit import api

from mouthpiece_agents.tokens import avatar_token

SECRET = "a-secret-of-thirty-two-characters"


def claims(*, own_attributes: bool) -> api.access_token.Claims:
    token = avatar_token(
        "key", SECRET, room="demo", avatar_id="mia", agent_identity="agent-1", own_attributes=own_attributes
    )
    return api.TokenVerifier("key", SECRET).verify(token)


def test_the_avatar_joins_this_room_as_an_agent_on_behalf_of_its_own() -> None:
    read = claims(own_attributes=False)
    assert (read.identity, read.name, read.kind) == ("avatar-mia", "avatar-mia", "agent")
    assert read.attributes == {"lk.publish_on_behalf": "agent-1"}
    assert read.video is not None
    assert (read.video.room_join, read.video.room) == (True, "demo")
    assert not read.video.room_admin


@pytest.mark.parametrize("own", [True, False])
def test_only_our_avatar_may_change_its_attributes(own: bool) -> None:
    video = claims(own_attributes=own).video
    assert video is not None
    assert bool(video.can_update_own_metadata) is own
