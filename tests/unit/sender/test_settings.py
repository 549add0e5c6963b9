"""Settings: accepted values, and the message for a missing or wrong one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece_sender.settings import Settings, load_settings

LIVEKIT = {
    "LIVEKIT_URL": "ws://127.0.0.1:7880",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "a-secret-of-32-that-nobody-prints",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    for name, value in LIVEKIT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_three_values_are_enough() -> None:
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8090)
    assert settings.public_url == "ws://127.0.0.1:7880"


def test_a_command_line_goes_before_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MOUTHPIECE_SENDER_PORT", "1234")
    assert load_settings(port=99, host=None).port == 99
    assert load_settings(port=None).port == 1234


def test_lists_are_split_at_commas_and_empty_values_are_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MOUTHPIECE_API_KEYS", "one, two:shop- ,,")
    environment.setenv("MOUTHPIECE_ALLOWED_ORIGINS", "https://A.example/, http://b:1")
    environment.setenv("MOUTHPIECE_DATA", "")
    settings = load_settings()
    assert [key.get_secret_value() for key in settings.api_keys] == ["one", "two:shop-"]
    assert settings.allowed_origins == ["https://a.example", "http://b:1"]
    assert settings.data == Path("~/.local/share/mouthpiece")


def test_missing_ones_are_named_together(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("LIVEKIT_URL")
    environment.setenv("LIVEKIT_API_SECRET", "")
    with pytest.raises(ConfigurationError, match=r"LIVEKIT_URL, LIVEKIT_API_SECRET not set.*\.env\.local"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIVEKIT_URL", "localhost:7880"),
        ("MOUTHPIECE_SENDER_PORT", "http"),
        ("MOUTHPIECE_SENDER_PORT", "70000"),
        ("MOUTHPIECE_ALLOWED_ORIGINS", "example.com"),
        ("MOUTHPIECE_PUBLIC_HOSTS", "speak.example.com, a b"),
        ("MOUTHPIECE_API_KEYS", "key,:demo"),
        ("MOUTHPIECE_API_KEYS", "key,other:"),
        ("MOUTHPIECE_INSTANCE", "a b"),
        ("MOUTHPIECE_MAX_QUEUE", "0"),
        ("MOUTHPIECE_AVATAR_TIMEOUT", "-1"),
    ],
)
def test_a_wrong_one_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name):
        load_settings()


@pytest.mark.parametrize("name", ["https://speak.example.org", "speak.example.org/api", "*.example.org", "h:http"])
def test_a_public_host_that_is_none_is_shown_how_to_write_it(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.setenv("MOUTHPIECE_PUBLIC_HOSTS", f"good.example.org, {name}")
    with pytest.raises(ConfigurationError, match="write it as name or name:port") as wrong:
        load_settings()
    assert name in str(wrong.value)


def test_public_hosts_are_names_with_or_without_a_port(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MOUTHPIECE_PUBLIC_HOSTS", "speak.example.org, Other.example.org:8443, [2001:db8::1]:80")
    assert load_settings().public_hosts == ["speak.example.org", "Other.example.org:8443", "[2001:db8::1]:80"]


def test_an_empty_key_is_refused_and_no_key_is_printed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MOUTHPIECE_API_KEYS", "hidden-key, :hidden-prefix")
    with pytest.raises(ConfigurationError, match="key or key:room-prefix") as wrong:
        load_settings()
    assert "hidden" not in str(wrong.value)


def test_secrets_are_not_in_what_is_printed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MOUTHPIECE_API_KEYS", "hidden-key")
    assert "nobody-prints" not in repr(load_settings())
    assert "hidden-key" not in repr(load_settings())
    environment.setenv("MOUTHPIECE_SENDER_PORT", "x")
    with pytest.raises(ConfigurationError) as wrong:
        load_settings()
    assert "nobody-prints" not in str(wrong.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])
def test_listening_beyond_this_machine_needs_a_key(environment: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(ConfigurationError, match="MOUTHPIECE_API_KEYS"):
        load_settings(host=host)
    environment.setenv("MOUTHPIECE_API_KEYS", "a-key-of-16-char:shop-")
    assert load_settings(host=host).host == host


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOUTHPIECE_API_KEYS", "a-key-of-16-char, fifteen-charact:shop-and-more"),
        ("LIVEKIT_API_SECRET", "a-secret-of-thirty-one-characte"),
    ],
)
def test_beyond_this_machine_keys_and_secrets_are_too_long_to_be_guessed(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv("MOUTHPIECE_API_KEYS", "a-key-of-16-char")
    environment.setenv(name, value)
    assert load_settings().host == "127.0.0.1"
    with pytest.raises(ConfigurationError, match=f"{name}.*too short") as wrong:
        load_settings(host="0.0.0.0")
    assert value not in str(wrong.value)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"LIVEKIT_URL": "http://h:1/"}, "ws://h:1"),
        ({"LIVEKIT_URL": "https://h"}, "wss://h"),
        ({"LIVEKIT_PUBLIC_URL": "wss://public"}, "wss://public"),
    ],
)
def test_viewers_get_a_websocket_address(environment: pytest.MonkeyPatch, given: dict[str, Any], url: str) -> None:
    for name, value in given.items():
        environment.setenv(name, value)
    assert load_settings().public_url == url


@pytest.mark.parametrize("text", ["loud", "0", "-3", "-50", "nan"])
def test_a_loudness_that_cannot_be_had_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MOUTHPIECE_LOUDNESS", text)
    with pytest.raises(ConfigurationError, match=r"MOUTHPIECE_LOUDNESS.*LUFS from -40 to -5"):
        load_settings()
