"""The avatar server's HTTP side, over a stand-in for its rooms: who is let in, and what is answered."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import httpx
import jwt
import pytest
from pydantic import SecretStr

from mouthpiece import wire
from mouthpiece.errors import AvatarNotFound, AvatarStartFailed, LiveKitRefused, LiveKitUnavailable, QueueFull
from mouthpiece_avatar.app import create_app
from mouthpiece_avatar.face.faces import FACES
from mouthpiece_avatar.face.registry import FaceRegistry
from mouthpiece_avatar.hosting import Figures
from mouthpiece_avatar.settings import Settings
from mouthpiece_avatar.token import Claims

GRANT = {"sub": "avatar-mia", "video": {"room": "lobby", "roomJoin": True}}
TOKEN = jwt.encode({**GRANT, "kind": "agent"}, "s" * 32, algorithm="HS256")


ROUTES = (
    *("/health", "/healthz", "/readyz", "/metrics", "/openapi.json", "/nowhere"),
    *("/v1/sessions", "/v1/sessions/ses_1", wire.START_AVATAR_PATH, wire.STOP_AVATAR_PATH),
)


class StandInSession:
    def __init__(self, claims: Claims) -> None:
        self.id = "ses_1"
        self.claims = claims


class StandInSessions:
    """Starts nothing; keeps what it was asked for."""

    def __init__(self) -> None:
        self.started: list[tuple[wire.StartAvatar, Claims]] = []
        self.fails_with: Exception | None = None
        self.running = 0
        self.ended: list[str] = []

    async def start(self, request: wire.StartAvatar, claims: Claims) -> StandInSession:
        self.started.append((request, claims))
        if self.fails_with is not None:
            raise self.fails_with
        return StandInSession(claims)

    async def end(self, session_id: str) -> bool:
        self.ended.append(session_id)
        return session_id == "ses_1"

    async def figures(self) -> Figures:
        return Figures()

    def stop(self) -> None: ...


@pytest.fixture
def sessions() -> StandInSessions:
    return StandInSessions()


def client(sessions: StandInSessions, **settings: Any) -> httpx.AsyncClient:
    known = {"livekit_url": "ws://127.0.0.1:7880", **settings}
    app = create_app(Settings.model_construct(**{**Settings().model_dump(), **known}), sessions)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@pytest.fixture
async def http(sessions: StandInSessions) -> AsyncIterator[httpx.AsyncClient]:
    async with client(sessions) as made:
        yield made


def body(**changes: Any) -> dict[str, Any]:
    return asdict(wire.StartAvatar("ws://127.0.0.1:7880", TOKEN, "licence", "mia")) | changes


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["status"] == answer.status_code
    assert said["detail"]
    assert "Traceback" not in answer.text
    assert TOKEN not in answer.text
    return said


async def test_it_starts_an_avatar_as_avalumas_server_does(http: httpx.AsyncClient, sessions: StandInSessions) -> None:
    answer = await http.post("/v1/livekit/start-avatar", json=body(), headers={"api-secret": "licence"})
    assert answer.status_code == 200
    assert answer.json() == {"session_id": "ses_1"}
    [(request, claims)] = sessions.started
    assert request == wire.StartAvatar("ws://127.0.0.1:7880", TOKEN, "licence", "mia")
    assert claims == Claims("avatar-mia", "lobby")


async def test_on_loopback_any_secret_is_taken_and_none(http: httpx.AsyncClient) -> None:
    for headers in ({}, {"api-secret": "whatever"}):
        assert (await http.post(wire.START_AVATAR_PATH, json=body(), headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example.com"}, {"host": "evil.example.com:8080"}, {"origin": "https://evil.example.com"}],
)
async def test_without_secrets_a_web_page_is_not_let_in(
    http: httpx.AsyncClient, sessions: StandInSessions, headers: dict[str, str]
) -> None:
    answer = await http.post(wire.START_AVATAR_PATH, json=body(), headers=headers)
    assert answer.status_code == 403
    assert "web page" in problem(answer)["detail"]
    assert (await http.get("/v1/sessions", headers=headers)).status_code == 403
    assert sessions.started == []
    assert (await http.get("/v1/sessions", headers={"host": "localhost:8080"})).status_code == 200


@pytest.mark.parametrize("secrets", [[], [SecretStr("one")]])
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example.com"},
        {"host": "127.0.0.1.evil.example.com:8080"},
        {"host": "evil.example.com."},
        {"host": "127.0.0.1@evil.example.com"},
        {"host": ""},
        {"origin": "http://evil.example.com"},
        {"origin": "null"},
    ],
)
async def test_a_page_with_a_name_that_points_here_reads_nothing(
    sessions: StandInSessions, headers: dict[str, str], secrets: list[SecretStr]
) -> None:
    async with client(sessions, secrets=secrets) as http:
        for path in ROUTES:
            for method in ("GET", "POST", "DELETE"):
                answer = await http.request(method, path, headers=headers)
                if path in ("/health", "/healthz", "/readyz") and method == "GET":
                    assert answer.json() == {"status": "ok"}
                else:
                    assert answer.status_code in (401, 403, 405), (method, path)
    assert sessions.started == []
    assert not sessions.ended


@pytest.mark.parametrize("host", ["10.0.0.7:8080", "avatar:8080", "[fd00::7]:8080", "localhost:8080"])
async def test_with_secrets_an_address_and_a_name_of_the_network_are_watched(
    sessions: StandInSessions, host: str
) -> None:
    async with client(sessions, secrets=[SecretStr("one")]) as http:
        assert (await http.get("/metrics", headers={"host": host})).status_code == 200
        assert (await http.get("/readyz", headers={"host": host})).json()["sessions"] == 0


async def test_with_its_secret_metrics_are_read_under_any_name(sessions: StandInSessions) -> None:
    async with client(sessions, secrets=[SecretStr("one")]) as http:
        for secret, status in (("one", 200), ("two", 403)):
            headers = {"host": "avatar.example.org", "api-secret": secret}
            assert (await http.get("/metrics", headers=headers)).status_code == status


@pytest.mark.parametrize(("method", "path"), [("POST", wire.START_AVATAR_PATH), ("GET", "/v1/sessions")])
async def test_with_secrets_only_they_are_taken(sessions: StandInSessions, method: str, path: str) -> None:
    async with client(sessions, secrets=[SecretStr("one"), SecretStr("zwei-ß")]) as http:
        missing = await http.request(method, path, json=body())
        assert missing.status_code == 401
        assert "api-secret" in problem(missing)["detail"]
        wrong = await http.request(method, path, json=body(), headers={"api-secret": "three"})
        assert wrong.status_code == 401
        assert sessions.started == []
        for right in (b"one", "zwei-ß".encode()):
            answer = await http.request(method, path, json=body(), headers={b"api-secret": right})
            assert answer.status_code == 200


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("ws://127.0.0.1:7880", 200),
        ("http://127.0.0.1:7880/", 200),
        ("ws://localhost:7880", 200),
        ("ws://127.0.0.1:7881", 403),
        ("wss://127.0.0.1:7880", 403),
        ("wss://livekit.example.com", 403),
        ("ws://169.254.169.254/latest/meta-data", 403),
        ("file:///etc/passwd", 422),
        ("ws://user:password@127.0.0.1:7880", 422),
        ("not an address", 422),
        ("ws://127.0.0.1:99999", 422),
        ("ws://[::1", 422),
    ],
)
async def test_it_joins_only_servers_that_it_may(http: httpx.AsyncClient, url: str, status: int) -> None:
    answer = await http.post(wire.START_AVATAR_PATH, json=body(livekit_url=url))
    assert answer.status_code == status, answer.text
    if status != 200:
        assert problem(answer)["field"] == "livekit_url"


async def test_several_servers_may_be_named(sessions: StandInSessions) -> None:
    async with client(sessions, livekit_urls=["wss://one.example.com", "wss://two.example.com:8443"]) as http:
        for url in ("wss://one.example.com:443", "https://ONE.example.com", "wss://two.example.com:8443"):
            assert (await http.post(wire.START_AVATAR_PATH, json=body(livekit_url=url))).status_code == 200
        for url in ("ws://127.0.0.1:7880", "wss://two.example.com"):
            assert (await http.post(wire.START_AVATAR_PATH, json=body(livekit_url=url))).status_code == 403


async def test_with_none_named_those_on_this_machine_are_joined(sessions: StandInSessions) -> None:
    async with client(sessions, livekit_url=None) as http:
        for url, status in (("ws://localhost:1234", 200), ("ws://[::1]:7880", 200), ("ws://livekit:7880", 403)):
            assert (await http.post(wire.START_AVATAR_PATH, json=body(livekit_url=url))).status_code == status


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "a.b.c",
        "..",
        jwt.encode({"sub": "avatar-mia"}, "s" * 32, algorithm="HS256"),
        jwt.encode({"video": {"room": "lobby"}}, "s" * 32, algorithm="HS256"),
        jwt.encode({"sub": "", "video": {"room": ""}}, "s" * 32, algorithm="HS256"),
        jwt.encode({"sub": "x", "video": ["room"]}, "s" * 32, algorithm="HS256"),
        jwt.encode(GRANT, "s" * 32, algorithm="HS256"),
        jwt.encode({**GRANT, "kind": "standard"}, "s" * 32, algorithm="HS256"),
        f"a.{base64.urlsafe_b64encode(b'[' * 3000).decode()}.c",
    ],
)
async def test_a_token_that_joins_no_room_is_refused(http: httpx.AsyncClient, token: str) -> None:
    answer = await http.post(wire.START_AVATAR_PATH, json=body(livekit_token=token))
    assert answer.status_code == 422
    assert problem(answer)["field"] == "livekit_token"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        json.dumps(body(livekit_url=7)).encode(),
        json.dumps({"livekit_url": "ws://x"}).encode(),
    ],
)
async def test_a_body_that_is_none_is_refused_without_repeating_it(http: httpx.AsyncClient, content: bytes) -> None:
    answer = await http.post(wire.START_AVATAR_PATH, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert "not understood" in problem(answer)["detail"]


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (LiveKitRefused("not accepted"), 502, False),
        (AvatarStartFailed("its renderer refused"), 502, False),
        (LiveKitUnavailable("not reachable"), 503, True),
        (QueueFull("no place"), 503, True),
        (RuntimeError("a bug"), 500, False),
    ],
)
async def test_what_goes_wrong_is_said(
    http: httpx.AsyncClient, sessions: StandInSessions, error: Exception, status: int, retry: bool
) -> None:
    sessions.fails_with = error
    answer = await http.post(wire.START_AVATAR_PATH, json=body())
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == retry
    assert "a bug" not in problem(answer)["detail"]


async def test_other_paths_and_methods_are_problems_too(http: httpx.AsyncClient) -> None:
    assert problem(await http.get("/nowhere"))["type"].endswith("not-found")
    assert problem(await http.get(wire.START_AVATAR_PATH))["type"].endswith("method-not-allowed")
    assert problem(await http.delete("/v1/sessions/ses_2"))["status"] == 404
    assert (await http.delete("/v1/sessions/ses_1")).status_code == 204


async def test_avalumas_older_calls_are_answered(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health")).json() == {"status": "ok"}
    ended = await http.post(wire.STOP_AVATAR_PATH, json={"session_id": "ses_1"})
    assert (ended.status_code, ended.json()) == (200, {"session_id": "ses_1"})
    assert problem(await http.post(wire.STOP_AVATAR_PATH, json={"session_id": "ses_2"}))["status"] == 404
    assert problem(await http.post(wire.STOP_AVATAR_PATH, json={}))["errors"][0]["field"] == "session_id"


async def test_it_is_not_ready_while_it_takes_no_more(sessions: StandInSessions) -> None:
    async with client(sessions, max_sessions=2, secrets=[SecretStr("one")]) as http:
        for running, status in ((1, 200), (2, 503), (1, 200)):
            sessions.running = running
            ready = await http.get("/readyz")
            assert ready.status_code == status
            assert ready.json()["sessions"] == running
        sessions.running = 2
        elsewhere = await http.get("/readyz", headers={"host": "avatar.example.org"})
        assert (elsewhere.status_code, elsewhere.json()) == (503, {"status": "full"})
        assert (await http.get("/healthz")).status_code == 200


async def test_it_is_watched(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    assert (await http.get("/readyz")).json()["max_sessions"] == 20
    assert "mouthpiece_avatar_sessions 0.0" in (await http.get("/metrics")).text


async def test_an_avatar_that_there_is_not_is_404_with_those_that_there_are(
    http: httpx.AsyncClient, sessions: StandInSessions
) -> None:
    with pytest.raises(AvatarNotFound) as refused:
        await FaceRegistry("mia")("bob")
    sessions.fails_with = refused.value
    answer = await http.post(wire.START_AVATAR_PATH, json=body(avaluma_avatar_id="bob"))
    assert answer.status_code == 404
    said = problem(answer)
    assert said["type"].endswith("avatar-not-found")
    assert said["avatars"] == [*FACES, "mouthpiece"]
    assert all(name in said["detail"] for name in FACES)
