"""What a job asks for: its metadata over the worker's settings."""

from __future__ import annotations

from typing import Any

import pytest

from mouthpiece.dispatch import LOCAL_AVATAR_ID, Provider
from mouthpiece.errors import ConfigurationError
from mouthpiece_agents.job_request import read_job_request
from mouthpiece_agents.settings import Settings


def settings(**changes: Any) -> Settings:
    given = {
        "LIVEKIT_URL": "ws://livekit:7880",
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "secret",
        "AVALUMA_LICENSE_KEY": "licence",
        "MOUTHPIECE_AVATAR_SECRET": "ours",
    }
    return Settings.model_validate(given | changes)


def test_without_metadata_the_settings_count() -> None:
    request = read_job_request("", settings(AVATAR_ID="mia", MOUTHPIECE_EMPTY_ROOM_TIMEOUT=7))
    assert (request.provider, request.avatar_id, request.identity) == (Provider.LOCAL, "mia", "avatar-mia")
    assert request.server_url == "http://127.0.0.1:8080"
    assert request.secret.get_secret_value() == "ours"
    assert request.empty_timeout == 7


def test_the_local_provider_has_an_avatar_of_its_own() -> None:
    assert read_job_request("", settings()).avatar_id == LOCAL_AVATAR_ID


def test_metadata_goes_before_the_settings() -> None:
    text = '{"avatar": {"provider": "avaluma", "id": "kadda"}, "empty_timeout": 0}'
    request = read_job_request(text, settings(AVATAR_ID="mia"))
    assert (request.provider, request.identity, request.empty_timeout) == (Provider.AVALUMA, "avatar-kadda", 0)
    assert request.server_url == "https://api.avaluma.ai"
    assert request.secret.get_secret_value() == "licence"


def test_the_other_providers_default_avatar_is_not_taken() -> None:
    with pytest.raises(ConfigurationError, match="names no avatar"):
        read_job_request('{"avatar": {"provider": "avaluma"}}', settings(AVATAR_ID="mia"))
    request = read_job_request(
        '{"avatar": {"provider": "local"}}', settings(AVATAR_PROVIDER="avaluma", AVATAR_ID="kadda")
    )
    assert request.avatar_id == LOCAL_AVATAR_ID


def test_a_job_for_avaluma_without_a_licence_key_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="AVALUMA_LICENSE_KEY is not set"):
        read_job_request('{"avatar": {"provider": "avaluma", "id": "kadda"}}', settings(AVALUMA_LICENSE_KEY=None))


def test_metadata_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not JSON"):
        read_job_request("avatar=mia", settings())


def test_the_avatar_server_may_get_another_address_of_livekit() -> None:
    assert read_job_request("", settings()).livekit_url == "ws://livekit:7880"
    other = settings(MOUTHPIECE_LIVEKIT_URL_FOR_AVATAR="wss://livekit.example.com")
    assert read_job_request("", other).livekit_url == "wss://livekit.example.com"
