"""Which dispatches have no agent."""

from livekit import api

from mouthpiece_agents.lost_dispatches import Lost, lost_in

OURS = api.AgentDispatch(id="AD_1", agent_name="mouthpiece", room="demo", metadata="{}")
OTHERS = api.AgentDispatch(id="AD_2", agent_name="support", room="demo")
VIEWER = api.ParticipantInfo(identity="anna")


def agent(name: str) -> api.ParticipantInfo:
    return api.ParticipantInfo(identity="agent-1", attributes={"lk.agent.name": name})


def test_a_dispatch_without_its_agent_is_lost() -> None:
    assert lost_in("demo", "mouthpiece", [OURS], []) == {Lost("demo", "AD_1", "{}")}
    assert lost_in("demo", "mouthpiece", [OURS], [VIEWER, agent("support")]) == {Lost("demo", "AD_1", "{}")}


def test_a_room_with_our_agent_has_lost_nothing() -> None:
    assert lost_in("demo", "mouthpiece", [OURS], [VIEWER, agent("mouthpiece")]) == set()


def test_dispatches_of_other_agents_are_theirs() -> None:
    assert lost_in("demo", "mouthpiece", [OTHERS], [VIEWER]) == set()
