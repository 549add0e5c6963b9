from mouthpiece import wire
from mouthpiece_agents.ownership import Owner, owner


def of(behalf: str | None, *others: str) -> Owner:
    return owner({} if behalf is None else {wire.ATTR_PUBLISH_ON_BEHALF: behalf}, "agent-1", others)


def test_an_avatar_belongs_to_the_agent_that_it_publishes_for() -> None:
    assert of("agent-1", "viewer") is Owner.OURS


def test_an_avatar_of_an_agent_in_the_room_is_left_to_it() -> None:
    assert of("agent-2", "agent-2", "viewer") is Owner.ANOTHERS


def test_an_avatar_whose_agent_is_gone_belongs_to_nobody() -> None:
    assert of("agent-2", "viewer") is Owner.NOBODYS
    assert of(None, "viewer") is Owner.NOBODYS
