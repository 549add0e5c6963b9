"""Our client of the start-avatar protocol against a server that has every fault."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from mouthpiece.errors import AvatarStartFailed
from mouthpiece_agents.avatar_server_client import MAX_ANSWER, AvatarServerClient
from mouthpiece_sender.demo.livekit_server import free_port
from tests.loopback.agents.start_avatar_emulator import Answer, emulator, problem

TOKEN = "the-token-that-nobody-must-see"
KEY = "the-licence-key"


@contextlib.asynccontextmanager
async def client(url: str, *, start_timeout: float = 10) -> AsyncIterator[AvatarServerClient]:
    async with AvatarServerClient(url, KEY, secret_name="AVALUMA_LICENSE_KEY", start_timeout=start_timeout) as server:
        yield server


async def start(server: AvatarServerClient) -> str | None:
    return await server.start("mia", "ws://livekit:7880", TOKEN)


async def test_a_start_sends_the_protocols_request_and_returns_the_session_id() -> None:
    async with emulator() as there, client(there.url) as server:
        assert await start(server) == "session-1"
        assert there.starts == [
            {
                "livekit_url": "ws://livekit:7880",
                "livekit_token": TOKEN,
                "avaluma_key": KEY,
                "avaluma_avatar_id": "mia",
            }
        ]
        assert there.secrets == [KEY]


@pytest.mark.parametrize("body", [b"", b"started", b"[]", b'{"session_id": 7}', b'{"session_id": ""}', b"\xff\xfe\x00"])
async def test_a_success_that_cannot_be_read_is_a_success_without_a_session(body: bytes) -> None:
    async with emulator(Answer(body=body)) as there, client(there.url) as server:
        assert await start(server) is None


@pytest.mark.parametrize("padding", [0, 2 * MAX_ANSWER])
async def test_an_answer_that_comes_in_pieces_is_read_to_its_end_or_the_limit(padding: int) -> None:
    body = b'{"session_id": "session-1"}' + b" " * padding
    async with emulator(Answer(body=body, in_pieces=True)) as there, client(there.url) as server:
        assert await start(server) == "session-1"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_named_and_the_server_is_asked_once(status: int) -> None:
    async with emulator(Answer(status)) as there, client(there.url) as server:
        with pytest.raises(AvatarStartFailed, match=r"refused the licence key \(AVALUMA_LICENSE_KEY\)"):
            await start(server)
        assert len(there.starts) == 1


async def test_the_error_for_a_refused_request_holds_the_servers_reason_and_not_the_request() -> None:
    echo = [{"loc": ["body", "livekit_url"], "msg": "no such host", "input": {"livekit_token": TOKEN}}]
    async with emulator(problem(422, echo)) as there, client(there.url) as server:
        with pytest.raises(AvatarStartFailed, match=r"HTTP 422, body\.livekit_url: no such host") as caught:
            await start(server)
    assert TOKEN not in str(caught.value)


async def test_a_redirect_is_not_followed() -> None:
    async with emulator() as thief, emulator(Answer(307, headers={"Location": thief.url})) as there:
        async with client(there.url) as server:
            with pytest.raises(AvatarStartFailed, match="HTTP 307"):
                await start(server)
        assert not thief.starts


async def test_a_server_that_is_loading_is_asked_again_and_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    refusal = problem(503, f"loading\nthe avatar for {TOKEN} and {KEY}")
    async with emulator(refusal, Answer()) as there, client(there.url) as server:
        with caplog.at_level(logging.INFO, "mouthpiece_agents"):
            assert await start(server) == "session-1"
        assert len(there.starts) == 2
    [record] = caplog.records
    assert "HTTP 503, loading the avatar for … and …; asking again in 0.5 s" in record.getMessage()


async def test_a_server_that_is_not_there_yet_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with client(f"http://127.0.0.1:{free_port()}", start_timeout=0.7) as server:
        with caplog.at_level(logging.INFO, "mouthpiece_agents"), pytest.raises(AvatarStartFailed):
            await start(server)
    [record] = caplog.records
    assert "cannot be reached (Connection refused): is it running?; asking again in 0.5 s" in record.getMessage()


async def test_an_avatar_that_livekit_refuses_is_asked_for_once() -> None:
    said = {"type": "urn:mouthpiece:problem:livekit-refused", "detail": "LiveKit did not accept the token"}
    async with emulator(Answer(502, json.dumps(said).encode()), Answer()) as there, client(there.url) as server:
        with pytest.raises(AvatarStartFailed, match="LiveKit did not accept the token") as caught:
            await start(server)
        assert len(there.starts) == 1
    assert not caught.value.retryable


async def test_a_busy_server_is_asked_again_when_it_says() -> None:
    async with emulator(problem(429, "busy", **{"Retry-After": "1"}), Answer()) as there, client(there.url) as server:
        before = time.monotonic()
        assert await start(server) == "session-1"
        assert time.monotonic() - before >= 1


async def test_a_connection_that_breaks_is_made_again() -> None:
    async with emulator(Answer(hang_up=True), Answer()) as there, client(there.url) as server:
        assert await start(server) == "session-1"


async def test_a_server_that_never_answers_is_given_up_at_the_deadline() -> None:
    async with emulator(Answer(after=60)) as there, client(there.url, start_timeout=0.2) as server:
        with pytest.raises(AvatarStartFailed, match="no answer in time") as caught:
            await start(server)
        assert caught.value.retryable


async def test_the_error_for_a_server_that_is_not_there_leaves_out_its_address() -> None:
    port = free_port()
    async with client(f"http://user:hidden@127.0.0.1:{port}", start_timeout=0.2) as server:
        with pytest.raises(AvatarStartFailed, match="cannot be reached") as caught:
            await start(server)
    assert "hidden" not in str(caught.value)
    assert caught.value.retryable


async def test_an_invalid_address_is_an_error() -> None:
    async with client("http://:::/") as server:
        with pytest.raises(AvatarStartFailed):
            await start(server)


async def test_a_session_that_starts_during_a_cancellation_is_ended() -> None:
    async with emulator(Answer(after=0.3)) as there, client(there.url) as server:
        starting = asyncio.create_task(start(server))
        await there.called.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert there.ended == ["session-1"]


async def test_a_session_is_ended_by_its_id() -> None:
    async with emulator() as there, client(there.url) as server:
        assert await server.end("a/../b")
        assert there.ended == ["a/../b"]


async def test_a_session_of_avalumas_is_stopped_by_its_own_call() -> None:
    async with (
        emulator() as there,
        AvatarServerClient(
            there.url, KEY, secret_name="AVALUMA_LICENSE_KEY", start_timeout=1, has_stop_call=True
        ) as server,
    ):
        assert await server.end("session-1")
        assert there.stopped == [({"session_id": "session-1"}, KEY)]
        assert there.ended == []


async def test_only_the_start_time_out_bounds_the_wait_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    totals = []
    post = aiohttp.ClientSession.post

    def recorded(session: aiohttp.ClientSession, *given: Any, **options: Any) -> Any:
        totals.append(options["timeout"].total)
        return post(session, *given, **options)

    monkeypatch.setattr(aiohttp.ClientSession, "post", recorded)
    async with emulator() as there, client(there.url) as server:
        await start(server)
    assert totals == [None]


async def test_ending_at_a_server_that_is_gone_is_no_error() -> None:
    async with client(f"http://127.0.0.1:{free_port()}") as server:
        assert not await server.end("session-1")


async def test_a_server_is_asked_which_sessions_it_runs() -> None:
    async with emulator() as there, client(there.url) as server:
        there.sessions = {"sessions": [{"session_id": "session-1"}, "odd"]}
        assert await server.knows("session-1") is True
        assert await server.knows("session-2") is False


async def test_a_server_is_asked_whether_an_avatar_speaks() -> None:
    async with emulator() as there, client(there.url) as server:
        there.sessions = {"sessions": [{"session_id": "session-1", "speaking": True}, {"session_id": "session-2"}]}
        assert await server.speaks("session-1")
        assert not await server.speaks("session-2")
        assert not await server.speaks("session-3")
        there.sessions = None
        assert not await server.speaks("session-1")


@pytest.mark.parametrize("sessions", [None, {"sessions": 3}, ["session-1"]])
async def test_a_server_that_cannot_be_asked_does_not_count_as_one_that_lost_the_avatar(sessions: object) -> None:
    async with emulator() as there, client(there.url) as server:
        there.sessions = sessions
        assert await server.knows("session-1") is None
    async with client(f"http://127.0.0.1:{free_port()}") as server:
        assert await server.knows("session-1") is None
