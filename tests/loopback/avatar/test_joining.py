"""An avatar whose LiveKit takes the connection and never answers: it is called back at once, and given up in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from livekit import rtc

from mouthpiece import wire
from mouthpiece.errors import LiveKitUnavailable, RoomError
from mouthpiece_avatar import session as session_module
from mouthpiece_avatar.face.renderer import FaceRenderer
from mouthpiece_avatar.renderer import Renderer
from mouthpiece_avatar.session import Session, SessionState
from mouthpiece_avatar.sessions import Sessions
from mouthpiece_avatar.token import Claims
from tests.loopback.avatar.silent_livekit import SilentLiveKit
from tests.unit.avatar.plain_face import plain_face

CLAIMS = Claims("avatar-mia", "lobby")


@pytest.fixture(autouse=True)
def short_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "LEAVE_WITHIN", 0.2)


@pytest.fixture
async def livekit() -> AsyncIterator[SilentLiveKit]:
    async with SilentLiveKit() as livekit:
        yield livekit


def asked(livekit: SilentLiveKit) -> wire.StartAvatar:
    return wire.StartAvatar(livekit.url, "a-token", "any", "mia")


async def make_renderer(_: str) -> Renderer:
    return FaceRenderer(plain_face())


async def test_a_session_that_is_ended_while_it_joins_leaves_at_once(livekit: SilentLiveKit) -> None:
    session = Session("ses_1", asked(livekit), CLAIMS, await make_renderer("mia"))
    running = asyncio.create_task(session.run())
    await livekit.asked.wait()
    before = time.monotonic()
    session.end("the avatar server stops")
    with pytest.raises(RoomError, match="called back before it had joined: the avatar server stops"):
        await running
    assert time.monotonic() - before < 2
    assert session.state is SessionState.ENDED
    assert session.reason == "the avatar server stops"


async def test_the_server_of_avatars_does_not_wait_for_one_that_joins(livekit: SilentLiveKit) -> None:
    async with Sessions(make_renderer, limit=1) as sessions:
        starting = asyncio.create_task(sessions.start(asked(livekit), CLAIMS))
        await livekit.asked.wait()
        before = time.monotonic()
    assert time.monotonic() - before < 2
    with pytest.raises(RoomError, match="called back"):
        await starting
    assert (await sessions.figures()).totals.ended == {"the avatar server stops": 1}


async def test_a_livekit_that_never_answers_is_given_up(
    livekit: SilentLiveKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "JOIN_WITHIN", 0.3)
    session = Session("ses_1", asked(livekit), CLAIMS, await make_renderer("mia"))
    with pytest.raises(LiveKitUnavailable, match=r"within 0\.3 seconds"):
        await session.run()
    assert session.reason == "could not join in time"


async def test_a_viewer_cannot_change_how_the_avatar_looks(livekit: SilentLiveKit) -> None:
    session = Session("ses_1", asked(livekit), CLAIMS, await make_renderer("mia"))
    kinds = {"agent": rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, "ada": rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD}
    people = {identity: SimpleNamespace(kind=kind) for identity, kind in kinds.items()}
    session._room._remote_participants = people  # type: ignore[assignment]
    calls = session._calls
    for method, payload in ((calls._on_user_state, "speaking"), (calls._on_agent_state, "thinking")):
        for caller in ("ada", "nobody"):
            with pytest.raises(rtc.RpcError, match="only agents"):
                await method(rtc.RpcInvocationData("1", caller, payload, 5))
        assert not (calls._user_speaks and calls._agent_thinks)
        assert await method(rtc.RpcInvocationData("1", "agent", payload, 5)) == "ok"
    assert calls._user_speaks
    assert calls._agent_thinks
