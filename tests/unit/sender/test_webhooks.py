"""Signatures, delays, and what each receiver is sent."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook as Verifier

from mouthpiece.errors import ConfigurationError
from mouthpiece.segments import AudioInfo, Event, Segment, Source
from mouthpiece.webhook_signature import WrongSignature, signed, verify
from mouthpiece_sender.settings import load_settings
from mouthpiece_sender.storage.journal import LogEntry
from mouthpiece_sender.webhooks.backoff import delay
from mouthpiece_sender.webhooks.routing import Webhook, receivers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime(2026, 11, 29, tzinfo=UTC)


def test_a_signature_is_that_of_the_standards_own_package_both_ways() -> None:
    now, body = int(time.time()), b'{"a": 1}'
    headers = signed(SECRET, "evt_1", now, body)
    assert Verifier(SECRET).verify(body, headers) == {"a": 1}
    theirs = Verifier(SECRET).sign("evt_1", datetime.fromtimestamp(now, UTC), body.decode())
    verify(SECRET, headers | {"webhook-signature": f"v1,other {theirs}"}, body, now)


@pytest.mark.parametrize(
    ("headers", "body", "late"),
    [
        ({"webhook-signature": "v1,AAAA"}, b"{}", 0),
        ({"webhook-signature": ""}, b"{}", 0),
        ({"webhook-id": "evt_2"}, b"{}", 0),
        ({}, b"{ }", 0),
        ({}, b"{}", 301),
        ({}, b"{}", -301),
        ({"webhook-timestamp": "now"}, b"{}", 0),
    ],
)
def test_what_was_changed_or_is_old_is_refused(headers: dict[str, str], body: bytes, late: float) -> None:
    given = signed(SECRET, "evt_1", 1000, b"{}") | headers
    with pytest.raises(WrongSignature):
        verify(SECRET, given, body, 1000 + late)


def test_it_is_tried_for_a_day() -> None:
    delays = [delay(tries, 1) for tries in range(1, 9)]
    assert delays[:4] == [5, 300, 1800, 7200]
    assert sum(one for one in delays if one is not None) == 86_400
    assert delays[-1] is None
    assert delay(1, 0.5) == 2.5


def entry(type: str = "segment.finished", room: str = "demo", callback: str | None = None) -> LogEntry:
    segment = Segment(
        id="seg_1",
        room=room,
        source=Source("text"),
        audio=AudioInfo(8000, 1, None),
        created_at=AT,
        callback=callback,
    )
    return LogEntry(Event("seg_1", room, type, AT, seq=1), segment)


@pytest.mark.parametrize(
    ("events", "rooms", "wanted"),
    [
        ([], [], True),
        (["segment.finished"], [], True),
        (["segment.*"], ["de"], True),
        (["segment.failed", "room.*"], [], False),
        ([], ["shop-"], False),
    ],
)
def test_a_webhook_wants_types_and_rooms(events: list[str], rooms: list[str], wanted: bool) -> None:
    webhook = Webhook("http://inside/hook", SECRET, events, rooms)
    assert [one.url for one in receivers([webhook], entry())] == ["http://inside/hook"] * wanted


def test_a_callback_is_one_receiver_a_server() -> None:
    found = receivers([], entry(callback="https://Example.org:8443/a?b"))
    assert [(one.name, one.url) for one in found] == [("callback example.org:8443", "https://Example.org:8443/a?b")]


@pytest.mark.parametrize(
    "wrong",
    [
        [{"url": "ftp://a/b", "secret": SECRET}],
        [{"url": "http://a/b"}],
        [{"url": "http://a/b", "secret": "short"}],
        [{"url": "http://a/b", "secret": SECRET, "room": "x"}],
        [{"url": "http://me:secret@a/b", "secret": SECRET}],
    ],
)
def test_a_wrong_setting_is_refused(wrong: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOUTHPIECE_WEBHOOKS", json.dumps(wrong))
    with pytest.raises(ConfigurationError, match="MOUTHPIECE_WEBHOOKS") as refused:
        load_settings(host="127.0.0.1")
    assert SECRET not in str(refused.value)


def test_webhooks_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [{"url": "http://sender:1/hook", "secret": SECRET, "events": ["segment.*"]}]
    monkeypatch.setenv("MOUTHPIECE_WEBHOOKS", json.dumps(given))
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "ws://livekit.example" if name == "LIVEKIT_URL" else "x" * 32)
    settings = load_settings(host="127.0.0.1")
    assert settings.webhook_list == [Webhook("http://sender:1/hook", SECRET, ["segment.*"], [])]
    assert SECRET not in repr(settings) + repr(settings.webhook_list)
