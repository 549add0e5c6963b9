"""Providers whose libraries are missing."""

from __future__ import annotations

import sys

import httpx
import pytest

from mouthpiece.tts import TTS, TTSProviderFailed, TTSUnavailable
from mouthpiece.tts.providers.elevenlabs import ElevenLabsTTS
from mouthpiece.tts.providers.openai import OpenAITTS


@pytest.fixture(params=["openai", "elevenlabs"])
def without_its_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> TTS:
    name: str = request.param
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    return OpenAITTS(api_key="key") if name == "openai" else ElevenLabsTTS(api_key="key")


async def test_a_missing_library_is_named_by_its_extra(without_its_library: TTS) -> None:
    async with without_its_library as tts:
        said = f"needs the extra “{tts.provider_name}”: pip install"
        with pytest.raises(TTSProviderFailed, match=said) as caught:
            await tts.send("Hello")
        assert isinstance(caught.value.__cause__, ImportError)
        with pytest.raises(TTSProviderFailed, match=said):
            await tts.warm()


async def test_another_error_keeps_its_meaning_without_the_library(without_its_library: TTS) -> None:
    async with without_its_library as tts:
        assert isinstance(tts.translate_error(httpx.ConnectError("x")), TTSUnavailable)
        assert tts.translate_error(ValueError("x")) is None
