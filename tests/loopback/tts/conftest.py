"""The services that the vendors' SDKs talk to here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.loopback.tts.emulators import ElevenLabs, OpenAI


@pytest.fixture
async def openai() -> AsyncIterator[OpenAI]:
    emulator = OpenAI()
    async with emulator.running():
        yield emulator


@pytest.fixture
async def elevenlabs() -> AsyncIterator[ElevenLabs]:
    emulator = ElevenLabs()
    async with emulator.running():
        yield emulator
