"""OpenAI's speech API through its own SDK, streaming."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator
from typing import Any, Final

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts.base import TTS
from mouthpiece.tts.errors import TTSBadText, TTSBadVoice, TTSError, TTSRefused, TTSTimeout, TTSUnavailable
from mouthpiece.tts.http_status import error_for_status, error_for_transport, quota_exceeded
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.providers.sdk import is_of, sdk_module
from mouthpiece.tts.voice import Voice

SAMPLE_RATE: Final = 24_000
"""Hertz of ``response_format="pcm"``: s16le, mono, without a header (OpenAI, Text to speech)."""
VOICES: Final = (
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse",
)  # fmt: skip
"""openai-python 3.52, ``speech_create_params.py``; the service has no call that lists them."""


class OpenAITTS(TTS):
    """Speaks with OpenAI.

    :param voice: one of ``voices()``.
    :param api_key: default: the environment variable ``OPENAI_API_KEY``.
    :param instructions: how to speak, in words.
    :param client: an ``openai.AsyncOpenAI`` of your own, which is not closed. The default one does not retry: a retry
        of the SDK would be a silent wait.
    :raises ConfigurationError: there is neither a key nor a client.
    """

    native_sample_rate = SAMPLE_RATE
    first_audio_timeout = 15.0
    stall_timeout = 15.0

    def __init__(
        self,
        voice: str = "alloy",
        *,
        api_key: str | None = None,
        model: str = "gpt-4o-mini-tts",
        instructions: str | None = None,
        base_url: str | None = None,
        client: Any = None,
    ) -> None:
        super().__init__("openai")
        self._key = api_key or os.environ.get("OPENAI_API_KEY")
        if client is None and not self._key:
            raise ConfigurationError("The voice openai needs a key: set OPENAI_API_KEY.")
        self._voice, self._model, self._instructions = voice, model, instructions
        self._base_url, self._given = base_url, client
        self._made: Any = None
        self._making = asyncio.Lock()

    async def stream_audio(
        self, text: str, *_: Any, voice: str | None = None, instructions: str | None = None, **__: Any
    ) -> AsyncIterator[PcmData]:
        client = await self._client()
        request: dict[str, Any] = {
            "model": self._model,
            "voice": voice or self._voice,
            "input": text,
            "response_format": "pcm",
        }
        if how := instructions or self._instructions:
            request["instructions"] = how
        async with client.audio.speech.with_streaming_response.create(**request) as response:
            async for block in response.iter_bytes():
                yield PcmData.from_bytes(block, SAMPLE_RATE)

    async def stop_audio(self) -> None:
        """Nothing to do: closing the stream ends the request."""

    async def close(self) -> None:
        made, self._made = self._made, None
        if made is not None:
            await made.close()

    async def voices(self) -> list[Voice]:
        return [Voice(name, name.capitalize(), "", "openai") for name in VOICES]

    async def warm(self) -> None:
        await self._client()

    def translate_error(self, error: Exception) -> TTSError | None:
        if not is_of(error, "openai"):
            return error_for_transport("OpenAI", error)
        sdk = importlib.import_module("openai")
        if isinstance(error, sdk.APIStatusError):
            # https://platform.openai.com/docs/guides/error-codes: quota and rate limit have the same status
            if error.code == "insufficient_quota":
                return quota_exceeded("OpenAI")
            if error.status_code == 400:
                return _bad_request(error.param)
            return error_for_status("OpenAI", error.status_code, error.response.headers)
        if isinstance(error, sdk.APITimeoutError):
            return TTSTimeout("OpenAI took too long.")
        if isinstance(error, sdk.APIConnectionError):
            return TTSUnavailable("OpenAI is not reachable. Is the network there?")
        return None

    async def _client(self) -> Any:
        if self._given is not None:
            return self._given
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
        return self._made

    def _make(self) -> Any:
        """Import the SDK, including the modules that it imports with its first request; this takes over a second."""
        sdk = sdk_module("openai", "openai", "openai")
        client = sdk.AsyncOpenAI(api_key=self._key, base_url=self._base_url, max_retries=0)
        _ = client.audio.speech.with_streaming_response
        return client


def _bad_request(parameter: str | None) -> TTSError:
    if parameter == "voice":
        return TTSBadVoice("OpenAI has no such voice.")
    if parameter == "input":
        return TTSBadText("OpenAI does not take this text; it may be too long.")
    return TTSRefused("OpenAI refused the request (HTTP 400).")
