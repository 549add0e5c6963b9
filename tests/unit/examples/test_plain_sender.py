"""The sender that one can copy, in the ten ways of docs/wire.md, before a fake of a stock receiver, in virtual time."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from livekit import api, rtc

from tests.virtual_time import in_virtual_time, now

FILE = Path(__file__).parents[3] / "examples" / "external_audio_sender_plain.py"
AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
RATE = 16_000


def person(identity: str, sid: str, kind: int = AGENT) -> SimpleNamespace:
    return SimpleNamespace(identity=identity, sid=sid, kind=kind)


class FakeRoom:
    """LiveKit's room with a stock receiver in it, which plays one stream after the other in real time."""

    made: FakeRoom

    def __init__(self) -> None:
        FakeRoom.made = self
        self.local_participant = self
        self.remote_participants = {"avatar-mia": person("avatar-mia", "PA_1")}
        self.rpc: dict[str, Callable[[Any], str]] = {}
        self.handlers: dict[str, Callable[..., object]] = {}
        self.token = ""
        self.visible, self.receipts = False, True
        self.unsupported_until = 0.0
        self.clears: list[float] = []
        self.answer = "ok"
        self.streams: list[SimpleNamespace] = []
        self.left_at: float | None = None
        self.slow_opening = 0.0

    async def connect(self, url: str, token: str, options: rtc.RoomOptions) -> None:
        self.token = token

    async def disconnect(self) -> None:
        assert all(stream.closed for stream in self.streams), "way 10: it left with a stream open"
        self.left_at = now()

    def on(self, event: str, handler: Callable[..., object]) -> None:
        self.handlers[event] = handler

    def register_byte_stream_handler(self, topic: str, handler: object) -> None:
        pass

    def register_rpc_method(self, method: str, handler: Callable[[Any], str]) -> None:
        self.rpc[method] = handler

    async def publish_track(self, track: object) -> None:
        await asyncio.sleep(0.05)
        self.visible = True

    async def perform_rpc(
        self, *, destination_identity: str, method: str, payload: str, response_timeout: float
    ) -> str:
        assert (destination_identity, method, payload) == ("avatar-mia", "lk.clear_buffer", "")
        await asyncio.sleep(0.01)
        if now() < self.unsupported_until:
            raise rtc.RpcError(1400, "Method not supported at destination")
        self.clears.append(now())
        if playing := [stream for stream in self.streams if stream.began is not None and not stream.over]:
            playing[0].over = True
            self.reports(now() - playing[0].began, interrupted=True)
        return self.answer

    async def stream_bytes(self, **header: Any) -> SimpleNamespace:
        assert self.visible, "way 1: the receiver does not see its sender yet"
        assert all(stream.over or not self.receipts for stream in self.streams), "way 5: one before it plays still"
        assert all(stream.closed for stream in self.streams), "way 4: another stream is open"
        await asyncio.sleep(self.slow_opening)
        stream = SimpleNamespace(header=header, sent=0.0, began=None, closed=False, over=False, ahead=0.0)
        self.streams.append(stream)

        async def write(data: bytes) -> None:
            stream.began = now() if stream.began is None else stream.began
            stream.sent += len(data) / 2 / RATE
            stream.ahead = max(stream.ahead, stream.sent - (now() - stream.began))

        async def aclose() -> None:
            await asyncio.sleep(0.01)
            stream.closed = True
            if self.receipts and not stream.over and stream.began is not None:
                asyncio.get_running_loop().call_at(stream.began + stream.sent + 0.1, played, stream)

        def played(stream: SimpleNamespace) -> None:
            if not stream.over:
                stream.over = True
                self.reports(stream.sent)

        return SimpleNamespace(write=write, aclose=aclose)

    def reports(self, position: float, *, interrupted: bool = False, caller: str = "avatar-mia") -> str:
        return self.says(json.dumps({"playback_position": position, "interrupted": interrupted}), caller)

    def says(self, payload: str, caller: str = "avatar-mia") -> str:
        call = SimpleNamespace(caller_identity=caller, payload=payload)
        return self.rpc["lk.playback_finished"](call)


class FakeServer:
    """LiveKit's server API, whose room has its avatar after three looks."""

    looks = 0

    def __init__(self, *access: str) -> None:
        self.room = self

    async def __aenter__(self) -> FakeServer:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def list_participants(self, request: api.ListParticipantsRequest) -> SimpleNamespace:
        FakeServer.looks += 1
        viewer = person("avatar-mia", "PA_0", rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD)
        avatar = person("avatar-mia", "PA_1")
        return SimpleNamespace(participants=[viewer] if FakeServer.looks < 3 else [viewer, avatar])


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module over the fakes."""
    spec = importlib.util.spec_from_file_location("plain_sender", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "plain_sender", module)
    spec.loader.exec_module(module)
    for name, value in (("URL", "ws://nowhere"), ("API_KEY", "key"), ("API_SECRET", "s" * 32)):
        monkeypatch.setenv(f"LIVEKIT_{name}", value)
    track = SimpleNamespace(mute=lambda: None)
    fake_rtc = SimpleNamespace(
        Room=FakeRoom,
        RoomOptions=rtc.RoomOptions,
        RpcError=rtc.RpcError,
        ParticipantKind=rtc.ParticipantKind,
        AudioSource=lambda *_: None,
        LocalAudioTrack=SimpleNamespace(create_audio_track=lambda *_: track),
    )
    fake_api = SimpleNamespace(
        LiveKitAPI=FakeServer,
        AccessToken=api.AccessToken,
        VideoGrants=api.VideoGrants,
        ListParticipantsRequest=api.ListParticipantsRequest,
    )
    monkeypatch.setattr(module, "rtc", fake_rtc)
    monkeypatch.setattr(module, "api", fake_api)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=now))
    FakeServer.looks = 0
    return module


@asynccontextmanager
async def joined(plain: ModuleType) -> AsyncIterator[tuple[Any, FakeRoom]]:
    async with plain.AudioSender("demo") as sender:
        yield sender, FakeRoom.made


def tone(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def test_it_is_short_and_needs_livekit_alone() -> None:
    text = FILE.read_text()
    assert len(text.splitlines()) <= 200
    assert "mouthpiece" not in text.casefold()


@in_virtual_time
async def test_it_joins_once_an_avatar_is_there_and_is_seen_before_it_streams(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        assert FakeServer.looks == 3, "a viewer of that name is no avatar"
        assert await sender.play(tone(1), RATE) == "confirmed"
    assert room.streams[0].header["attributes"] == {"sample_rate": "16000", "num_channels": "1"}
    assert room.streams[0].header["destination_identities"] == ["avatar-mia"]


@in_virtual_time
async def test_it_asks_whether_anybody_listens_once_for_each_session_of_the_avatar(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        await sender.play(tone(1), RATE)
        await sender.play(tone(1), RATE)
        assert len(room.clears) == 1
        room.remote_participants["avatar-mia"] = person("avatar-mia", "PA_2")
        await sender.play(tone(1), RATE)
        assert len(room.clears) == 2


@in_virtual_time
async def test_a_receiver_that_does_not_know_the_question_is_waited_for_three_seconds(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        room.unsupported_until = float("inf")
        before = now()
        assert await sender.play(tone(1), RATE) == "confirmed"
        assert 3 <= room.streams[0].began - before < 4


@in_virtual_time
async def test_a_receiver_that_is_bound_to_another_sender_is_an_error(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        room.answer = "reject"
        with pytest.raises(RuntimeError, match="another sender"):
            await sender.play(tone(1), RATE)
        assert room.streams == []


@in_virtual_time
async def test_every_receipt_is_answered_and_it_stays_for_the_answer(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        await sender.play(tone(1), RATE)
        ended = now()
        for odd in ("", "null", "[]", "{}", '{"interrupted": 1}', "no JSON"):
            assert room.says(odd) == "ok"
        assert room.rpc["lk.playback_started"](SimpleNamespace(caller_identity="avatar-mia", payload="")) == "ok"
    assert room.left_at is not None
    assert room.left_at - ended >= 0.29


@in_virtual_time
async def test_segments_that_are_asked_for_at_once_are_streamed_one_after_the_other(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        assert await asyncio.gather(*(sender.play(tone(2), RATE) for _ in range(3))) == ["confirmed"] * 3
        assert len(room.streams) == 3  # the room itself refuses streams that overlap


@in_virtual_time
async def test_it_is_never_far_ahead_of_playback(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        await sender.play(tone(30), RATE)
        (stream,) = room.streams
        assert stream.sent == pytest.approx(30)
        assert 1.5 < stream.ahead <= 2.1


@in_virtual_time
async def test_without_a_receipt_the_clock_ends_a_segment(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        room.receipts = False
        before = now()
        assert await sender.play(tone(3), RATE) == "estimated"
        assert 3 <= now() - before < 6


@in_virtual_time
async def test_a_receipt_that_comes_too_early_or_from_somebody_else_is_not_believed(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        playing = asyncio.create_task(sender.play(tone(5), RATE))
        await asyncio.sleep(1)
        assert room.reports(5) == "ok"
        assert room.reports(5, interrupted=True, caller="viewer") == "ok"
        await asyncio.sleep(1)
        assert not playing.done()
        assert await playing == "confirmed"


@in_virtual_time
async def test_it_is_taken_for_nobody_else_and_has_one_identity_for_each_room_and_host(
    plain: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    identities = []
    for name, host in (("demo", "one"), ("demo", "one"), ("other", "one"), ("demo", "two")):
        monkeypatch.setattr(plain.platform, "node", lambda host=host: host)
        async with plain.AudioSender(name):
            room = FakeRoom.made
            claims = api.TokenVerifier("key", "s" * 32).verify(room.token)
            assert claims.attributes == {"lk.publish_on_behalf": claims.identity}
            assert claims.kind == "agent"
            identities.append(claims.identity)
    assert identities[0] == identities[1], "after a restart a receiver that is bound to it still listens"
    assert len(set(identities)) == 3
    assert all(identity.startswith("external-audio-sender-") for identity in identities)


@in_virtual_time
async def test_an_interrupt_ends_what_plays_and_the_next_one_is_heard(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        playing = asyncio.create_task(sender.play(tone(30), RATE))
        await asyncio.sleep(3)
        await sender.interrupt()
        assert await playing == "interrupted"
        assert room.streams[0].closed
        assert await sender.play(tone(1), RATE) == "confirmed"


@in_virtual_time
async def test_an_avatar_that_leaves_leaves_the_end_unknown(plain: ModuleType) -> None:
    async with joined(plain) as (sender, room):
        playing = asyncio.create_task(sender.play(tone(30), RATE))
        await asyncio.sleep(3)
        room.streams[0].over = True
        room.handlers["participant_disconnected"](person("avatar-mia", "PA_1"))
        assert await playing == "unknown"


@pytest.mark.parametrize("after", [0.05, 0.3, 1.0, 2.9, 3.05])
def test_whenever_it_is_stopped_it_closes_its_stream_and_silences_the_avatar(plain: ModuleType, after: float) -> None:
    @in_virtual_time
    async def stopped() -> None:
        async with joined(plain) as (sender, room):
            room.slow_opening = 0.2
            playing = asyncio.create_task(sender.play(tone(3), RATE))
            await asyncio.sleep(after)
            playing.cancel()
            await asyncio.wait({playing})
            assert playing.cancelled()
            assert all(stream.closed for stream in room.streams)
            assert all(stream.over or stream.began is None for stream in room.streams)

    stopped()
