"""Providers by name: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts import available, create
from mouthpiece.tts.providers.espeak import parse_voices
from mouthpiece.tts.providers.vision_agents import VisionAgentsTTS


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("OPENAI_API_KEY", "ELEVENLABS_API_KEY"):
        monkeypatch.delenv(key, raising=False)


def test_all_providers_are_listed_with_what_they_lack() -> None:
    providers = {provider.name: provider for provider in available()}
    assert list(providers) == ["offline", "espeak", "openai", "elevenlabs", "livekit", "vision_agents"]
    assert providers["offline"].available
    assert not providers["openai"].available
    assert providers["openai"].missing == "The voice openai needs a key: set OPENAI_API_KEY."


def test_a_key_makes_a_provider_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "key")
    assert {provider.name for provider in available() if provider.available} >= {"offline", "elevenlabs"}


def test_the_default_is_the_offline_voice() -> None:
    assert create().provider_name == "offline"


def test_a_key_that_is_given_is_enough() -> None:
    assert create("openai", api_key="key").provider_name == "openai"
    assert create("elevenlabs", api_key="key").provider_name == "elevenlabs"


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("nobody", {}, "no voice provider 'nobody'. There are: offline, espeak"),
        ("openai", {}, "set OPENAI_API_KEY"),
        ("elevenlabs", {}, "set ELEVENLABS_API_KEY"),
        ("offline", {"colour": "red"}, "cannot be set up so: got an unexpected keyword argument 'colour'"),
        ("offline", {"speed": 9}, "speed from 0.5 to 2, not 9"),
        ("espeak", {"command": "/nowhere/espeak-ng"}, "needs the program espeak-ng"),
        ("livekit", {}, "name it, as livekit:cartesia"),
        ("livekit:nobody", {}, "install livekit-plugins-nobody"),
        ("livekit:../x", {}, "not the name of a LiveKit plugin"),
        ("vision_agents", {"plugin": object()}, "an object of a Vision Agents TTS class"),
    ],
)
def test_what_cannot_be_made_says_why(name: str, settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create(name, **settings)
    assert said in str(caught.value)


def test_a_vision_agents_plugin_goes_by_its_own_name() -> None:
    class Plugin:
        provider_name = "cartesia"

        async def stream_audio(self) -> None: ...
        async def stop_audio(self) -> None: ...
        async def close(self) -> None: ...

    tts = create("vision_agents", plugin=Plugin())
    assert isinstance(tts, VisionAgentsTTS)
    assert tts.provider_name == "vision_agents:cartesia"


def test_espeaks_table_of_voices_is_read() -> None:
    table = (
        "Pty Language       Age/Gender VoiceName          File                 Other Languages\n"
        " 5  af              --/M      Afrikaans          gmw/af               \n"
        " 2  en-us           --/M      English_(America)  gmw/en-US            (en 3)\n"
        " 5  en-us           --/M      Another            gmw/en-US-nyc        \n"
    )
    voices = parse_voices(table)
    assert [(voice.id, voice.name, voice.language) for voice in voices] == [
        ("af", "Afrikaans", "af"),
        ("en-us", "English (America)", "en-us"),
    ]
