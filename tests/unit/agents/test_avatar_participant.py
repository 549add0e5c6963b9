"""The avatar as a participant: the token that it joins with, and the agent that it belongs to."""

from __future__ import annotations

import pytest
from livekit import api

from mouthpiece import wire
from mouthpiece_agents.avatar_participant import Owner, avatar_token, owner

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


def owner_of(behalf: str | None, *others: str) -> Owner:
    return owner({} if behalf is None else {wire.ATTR_PUBLISH_ON_BEHALF: behalf}, "agent-1", others)


def test_an_avatar_belongs_to_the_agent_that_it_publishes_for() -> None:
    assert owner_of("agent-1", "viewer") is Owner.THIS_AGENT


def test_an_avatar_of_an_agent_in_the_room_is_left_to_it() -> None:
    assert owner_of("agent-2", "agent-2", "viewer") is Owner.OTHER_AGENT


def test_an_avatar_whose_agent_is_gone_belongs_to_nobody() -> None:
    assert owner_of("agent-2", "viewer") is Owner.NONE
    assert owner_of(None, "viewer") is Owner.NONE
