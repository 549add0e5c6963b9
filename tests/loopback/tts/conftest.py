"""The services that the vendors' SDKs talk to here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mouthpiece.tts import available
from mouthpiece.tts.programs import find
from tests.loopback.tts.emulators import ElevenLabs, OpenAI


@pytest.fixture(autouse=True, scope="session")
def as_a_service_at_its_start() -> None:
    """Looks once for what the providers need."""
    available()
    for command in ("espeak-ng", "true"):
        find(command)


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
