"""ElevenLabs through its own SDK, streaming."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator
from typing import Any, Final

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts.base import TTS
from mouthpiece.tts.errors import TTSBadText, TTSBadVoice, TTSError
from mouthpiece.tts.http_status import error_for_status, error_for_transport, quota_exceeded
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.providers.sdk import is_of, sdk_module
from mouthpiece.tts.voice import Voice

SAMPLE_RATE: Final = 24_000
OUTPUT_FORMAT: Final = "pcm_24000"
"""s16le, mono, without a header."""
DEFAULT_VOICE: Final = "EXAVITQu4vr4xnSDxMaL"
DEFAULT_MODEL: Final = "eleven_turbo_v2_5"
_LONGEST: Final = 60.0
"""Seconds of the HTTP client's time-outs; the base class's limits are shorter."""


class ElevenLabsTTS(TTS):
    """Speaks with ElevenLabs.

    :param voice: a voice id; ``voices()`` lists them.
    :param api_key: default: the environment variable ``ELEVENLABS_API_KEY``.
    :param client: an ``elevenlabs.client.AsyncElevenLabs`` of your own, which is not closed.
    :raises ConfigurationError: there is neither a key nor a client.
    """

    native_sample_rate = SAMPLE_RATE
    first_audio_timeout = 15.0
    stall_timeout = 15.0

    def __init__(
        self,
        voice: str = DEFAULT_VOICE,
        *,
        api_key: str | None = None,
        model: str = DEFAULT_MODEL,
        base_url: str | None = None,
        client: Any = None,
    ) -> None:
        super().__init__("elevenlabs")
        self._key = api_key or os.environ.get("ELEVENLABS_API_KEY")
        if client is None and not self._key:
            raise ConfigurationError("The voice elevenlabs needs a key: set ELEVENLABS_API_KEY.")
        self._voice, self._model, self._base_url = voice, model, base_url
        self._given = client
        self._made: Any = None
        self._http: Any = None
        self._making = asyncio.Lock()

    async def stream_audio(self, text: str, *_: Any, voice: str | None = None, **__: Any) -> AsyncIterator[PcmData]:
        client = await self._client()
        blocks = client.text_to_speech.stream(
            voice_id=voice or self._voice,
            text=text,
            model_id=self._model,
            output_format=OUTPUT_FORMAT,
            request_options={"max_retries": 0},  # a retry of the SDK would be a silent wait
        )
        try:
            async for block in blocks:
                yield PcmData.from_bytes(block, SAMPLE_RATE)
        finally:
            await blocks.aclose()

    async def stop_audio(self) -> None:
        """Nothing to do: closing the stream ends the request."""

    async def close(self) -> None:
        http, self._http, self._made = self._http, None, None
        if http is not None:
            await http.aclose()

    async def voices(self) -> list[Voice]:
        client = await self._client()
        found: list[Voice] = []
        token: str | None = None
        try:
            while True:
                page = await client.voices.search(
                    page_size=100, next_page_token=token, request_options={"max_retries": 0}
                )
                found += [
                    Voice(one.voice_id, one.name or one.voice_id, (one.labels or {}).get("language", ""), "elevenlabs")
                    for one in page.voices
                ]
                token = page.next_page_token
                if not (page.has_more and token):
                    return found
        except Exception as error:
            raise self._as_tts_error(error, heard=False) from error

    async def warm(self) -> None:
        await self._client()

    def translate_error(self, error: Exception) -> TTSError | None:
        if not is_of(error, "elevenlabs"):
            return error_for_transport("ElevenLabs", error)
        sdk = importlib.import_module("elevenlabs.core.api_error")
        if not isinstance(error, sdk.ApiError):
            return None
        # https://elevenlabs.io/docs/developers/resources/errors: the same status says several things
        status = _detail(error.body)
        if status == "quota_exceeded":
            return quota_exceeded("ElevenLabs")
        if status in ("voice_not_found", "voice_does_not_exist", "invalid_uid"):
            return TTSBadVoice("ElevenLabs has no such voice.")
        if status == "max_character_limit_exceeded":
            return TTSBadText("The text is too long for one request to ElevenLabs.")
        return error_for_status("ElevenLabs", error.status_code or 500, error.headers)

    async def _client(self) -> Any:
        if self._given is not None:
            return self._given
        async with self._making:
            if self._made is None:
                self._http, self._made = await asyncio.to_thread(self._make)
        return self._made

    def _make(self) -> tuple[Any, Any]:
        """Import the SDK, including the modules that it imports with its first request; this takes over a second.
        Return the HTTP client and the SDK's client: the SDK cannot close an HTTP client of its own."""
        sdk = sdk_module("elevenlabs.client", "elevenlabs", "elevenlabs")
        http = sdk_module("httpx", "elevenlabs", "elevenlabs").AsyncClient(timeout=_LONGEST, follow_redirects=True)
        client = sdk.AsyncElevenLabs(api_key=self._key, base_url=self._base_url, httpx_client=http, timeout=_LONGEST)
        _ = client.text_to_speech.stream, client.voices.search
        return http, client


def _detail(body: Any) -> str | None:
    detail = body.get("detail") if isinstance(body, dict) else None
    status = detail.get("status") if isinstance(detail, dict) else None
    return status if isinstance(status, str) else None
