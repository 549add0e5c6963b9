"""A text to be spoken: ``{"text", "voice", "tts"}``."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ConfigDict, Field

from mouthpiece.errors import ConfigurationError
from mouthpiece.segments import Source
from mouthpiece.tts import TTSBadText, TTSBadVoice
from mouthpiece.tts.text import MAX_CHARACTERS
from mouthpiece_sender.api.bodies.kind import BodyResources, ParsedBody, RequestBody
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import RequestModel, from_json

MAX_BYTES: Final = 2_500_000
"""Bytes of the JSON: enough for the longest text with every character escaped."""


class TextBody(RequestModel):
    """The JSON of a text."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"text": "Hello. It is good to see you."}]}
    )

    text: str = Field(description=f"Words alone, no markup; at most {MAX_CHARACTERS:,} characters.")
    voice: str | None = Field(None, min_length=1, max_length=200, description="An id that GET /v1/voices lists.")
    tts: str | None = Field(
        None,
        pattern=r"^[a-z0-9_]+(:[a-z0-9_]+)?$",
        max_length=100,
        description="The provider; without it the one that has the voice.",
    )


class Text:
    """A text; its first sound is synthesised before the request is answered."""

    content: Final[dict[str, Any]] = {"application/json": {"schema": TextBody.model_json_schema()}}

    def takes(self, media_type: str) -> bool:
        return media_type == "application/json"

    async def read(self, body: RequestBody, resources: BodyResources) -> ParsedBody:
        asked = await _read(body)
        if len(asked.text) > MAX_CHARACTERS:
            raise _too_long()
        try:
            sound, voice = await resources.voices.sound(asked.text, voice=asked.voice, tts=asked.tts)
        except ConfigurationError as error:
            raise ApiProblem("bad-parameter", str(error), field="tts") from None
        except TTSBadVoice as error:
            raise ApiProblem(error.slug, str(error), field="voice") from None
        except TTSBadText as error:
            raise ApiProblem(error.slug, str(error), field="text") from None
        return ParsedBody(sound, Source("text", text=asked.text, voice=voice))


async def _read(body: RequestBody) -> TextBody:
    data = bytearray()
    async for chunk in body.chunks:
        data += chunk
        if len(data) > MAX_BYTES:
            raise _too_long()
    return from_json(data, TextBody, example='{"text": "…"}')


def _too_long() -> ApiProblem:
    return ApiProblem(
        "text-too-long", f"At most {MAX_CHARACTERS:,} characters can be spoken at once: send it in parts.", field="text"
    )
