"""What the environment says about Anam."""

from __future__ import annotations

from pathlib import Path

import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece_sender.anam.settings import Via, anam_settings, default_tts_for_anam, target_from_environment


def test_a_key_is_all_it_needs() -> None:
    settings = anam_settings({"ANAM_API_KEY": "secret"})
    assert settings.avatar_id == "071b0286-4cce-4808-bee2-e642f1062de3"
    assert settings.api_url == "https://api.anam.ai"
    assert (settings.ready_timeout, settings.linger) == (30.0, 5.0)
    assert "secret" not in repr(settings)


def test_everything_can_be_set() -> None:
    known = {
        "ANAM_API_KEY": "secret",
        "ANAM_AVATAR_ID": "mine",
        "ANAM_API_URL": "http://127.0.0.1:1/",
        "MOUTHPIECE_ANAM_LINGER": "0",
    }
    settings = anam_settings(known, ready_timeout=3)
    assert (settings.avatar_id, settings.api_url, settings.ready_timeout, settings.linger) == (
        "mine",
        "http://127.0.0.1:1",
        3,
        0.0,
    )


def test_the_manual_of_settings_shows_the_defaults() -> None:
    lines = (Path(__file__).parents[3] / ".env.local.example").read_text().splitlines()
    shown = dict(
        line[1:].split("=", 1) for line in lines if line.startswith(("#ANAM_", "#MOUTHPIECE_")) and "=" in line
    )
    assert shown["ANAM_API_KEY"] == ""
    assert anam_settings(shown | {"ANAM_API_KEY": "secret"}) == anam_settings({"ANAM_API_KEY": "secret"})
    assert shown["MOUTHPIECE_TARGET"] == target_from_environment({})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"ANAM_API_KEY": ""}, "ANAM_API_KEY"),
        ({"ANAM_API_URL": "api.anam.ai"}, "ANAM_API_URL"),
        ({"MOUTHPIECE_ANAM_LINGER": "soon"}, "MOUTHPIECE_ANAM_LINGER"),
        ({"MOUTHPIECE_ANAM_LINGER": "-1"}, "MOUTHPIECE_ANAM_LINGER"),
        ({"MOUTHPIECE_ANAM_LINGER": "nan"}, "MOUTHPIECE_ANAM_LINGER"),
    ],
)
def test_what_is_missing_or_wrong_is_named(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        anam_settings({"ANAM_API_KEY": "secret"} | wrong)


def test_the_target_is_livekit_unless_anam_is_chosen() -> None:
    assert target_from_environment({}) is Via.LIVEKIT
    assert target_from_environment({"MOUTHPIECE_TARGET": ""}) is Via.LIVEKIT
    assert target_from_environment({"MOUTHPIECE_TARGET": "anam"}) is Via.ANAM
    with pytest.raises(ConfigurationError, match="livekit, anam"):
        target_from_environment({"MOUTHPIECE_TARGET": "radio"})


def test_text_for_anam_is_spoken_by_elevenlabs_where_its_key_is() -> None:
    assert default_tts_for_anam({"ELEVENLABS_API_KEY": "secret"}) == "elevenlabs"
    assert default_tts_for_anam({}) == "offline"
