"""The worker's settings: an error names each one that is missing or wrong, and never shows a secret."""

from __future__ import annotations

import pickle

import pytest

from mouthpiece.dispatch import Provider
from mouthpiece.errors import ConfigurationError
from mouthpiece_agents.job_request import read_job_request
from mouthpiece_agents.settings import Settings, load_settings

LIVEKIT = {"LIVEKIT_URL": "ws://127.0.0.1:7880", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "hush-hush"}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in (LIVEKIT | values).items():
        monkeypatch.setenv(name, value)


def test_livekits_address_key_and_secret_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch)
    settings = load_settings()
    assert settings.avatar_provider is Provider.LOCAL
    assert settings.avatar_url == "http://127.0.0.1:8080"
    assert settings.avatar_server_url == "https://api.avaluma.ai"
    assert (settings.host, settings.port) == ("127.0.0.1", 8081)


@pytest.mark.parametrize("name", LIVEKIT)
def test_a_missing_livekit_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    given(monkeypatch)
    monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError, match=f"^{name} is not set"):
        load_settings()


def test_all_missing_settings_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert [line.split()[0] for line in str(caught.value).splitlines()] == list(LIVEKIT)


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_licence_key_for_avaluma_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    given(monkeypatch, AVATAR_PROVIDER="avaluma", AVATAR_ID="kadda")
    if value is not None:
        monkeypatch.setenv("AVALUMA_LICENSE_KEY", value)
    with pytest.raises(ConfigurationError, match=r"^AVALUMA_LICENSE_KEY is not set"):
        load_settings()


def test_a_missing_avatar_for_avaluma_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, AVATAR_PROVIDER="avaluma", AVALUMA_LICENSE_KEY="licence")
    with pytest.raises(ConfigurationError, match=r"^AVATAR_ID is not set"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AVATAR_PROVIDER", "acme"),
        ("AVATAR_ID", "two words"),
        ("LIVEKIT_URL", "localhost:7880"),
        ("MOUTHPIECE_AVATAR_URL", "127.0.0.1:8080"),
        ("AVATAR_SERVER_URL", "ftp://api.avaluma.ai"),
        ("MOUTHPIECE_AGENTS_PORT", "80801"),
        ("MOUTHPIECE_EMPTY_ROOM_TIMEOUT", "soon"),
        ("MOUTHPIECE_EMPTY_ROOM_TIMEOUT", "-1"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    given(monkeypatch, **{name: value})
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"{name}: ")
    assert value not in str(caught.value)


@pytest.mark.parametrize("key", ["AVALUMA_LICENSE_KEY", "AVALUMA_API_KEY"])
@pytest.mark.parametrize("avatar", ["AVATAR_ID", "AVALUMA_AVATAR_ID"])
@pytest.mark.parametrize("url", ["AVATAR_SERVER_URL", "AVALUMA_API_URL", "AVALUMA_AVATAR_SERVER_URL"])
def test_avaluma_is_set_up_by_any_of_its_names(
    monkeypatch: pytest.MonkeyPatch, key: str, avatar: str, url: str
) -> None:
    given(monkeypatch, AVATAR_PROVIDER="avaluma", **{key: "licence-1", avatar: "kadda", url: "https://gpu.example/"})
    request = read_job_request("", load_settings())
    assert request.secret.get_secret_value() == "licence-1"
    assert request.avatar_id == "kadda"
    assert request.server_url == "https://gpu.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AVALUMA_LICENSE_KEY", "AVALUMA_API_KEY"),
        ("AVALUMA_AVATAR_ID", "AVATAR_ID"),
        ("AVATAR_SERVER_URL", "AVALUMA_API_URL"),
        ("AVATAR_SERVER_URL", "AVALUMA_AVATAR_SERVER_URL"),
        ("AVALUMA_API_URL", "AVALUMA_AVATAR_SERVER_URL"),
    ],
)
def test_two_names_of_one_setting_that_differ_are_named(monkeypatch: pytest.MonkeyPatch, one: str, other: str) -> None:
    complete = {"AVATAR_PROVIDER": "avaluma", "AVALUMA_LICENSE_KEY": "https://one", "AVALUMA_AVATAR_ID": "https://one"}
    given(monkeypatch, **complete | {one: "https://one", other: "https://two"})
    with pytest.raises(ConfigurationError, match=rf"^{one} and {other} are two names of one setting and differ") as e:
        load_settings()
    assert "https" not in str(e.value)
    given(monkeypatch, **complete | {one: "https://one", other: "https://one"})
    load_settings()


def test_a_local_worker_keeps_avalumas_avatar_for_the_jobs_that_ask_for_avaluma(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, AVATAR_ID="mia", AVALUMA_AVATAR_ID="kadda", AVALUMA_API_KEY="licence-1")
    settings = load_settings()
    assert read_job_request("", settings).avatar_id == "mia"
    assert read_job_request('{"avatar": {"provider": "avaluma"}}', settings).avatar_id == "kadda"


def test_no_secret_shows_and_a_job_process_gets_equal_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, AVALUMA_LICENSE_KEY="licence-1", MOUTHPIECE_AVATAR_SECRET="secret-1")
    settings = load_settings()
    for secret in ("hush-hush", "licence-1", "secret-1"):
        assert secret not in repr(settings)
    again = pickle.loads(pickle.dumps(settings))
    assert again == settings
    assert again.require_license_key() == "licence-1"
