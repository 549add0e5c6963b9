"""A text to be spoken: ``{"text", "voice", "tts"}``."""

from __future__ import annotations

from typing import Final

from pydantic import ConfigDict, Field

from mouthpiece.errors import ConfigurationError
from mouthpiece.segments import Source, TextFormat
from mouthpiece.tts import TTSBadText, TTSBadVoice
from mouthpiece.tts.text import MAX_CHARACTERS
from mouthpiece_sender.api.bodies.kind import BodyResources, ParsedBody
from mouthpiece_sender.api.metadata import Metadata
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import RequestModel

MAX_BYTES: Final = 2_500_000
"""Bytes of the JSON: enough for the longest text with every character escaped."""


class TextBody(RequestModel):
    """The JSON of a text."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"text": "Hello. It is good to see you."}]}
    )

    text: str = Field(
        description=f"Words alone, unless `text_format` says more; at most {MAX_CHARACTERS:,} characters."
    )
    text_format: TextFormat = Field(
        "plain",
        description="`markdown`: what a language model writes is read as a person would read it aloud, without marks, "
        "addresses of links, fenced code, tags and reasoning (`<think>`).",
    )
    voice: str | None = Field(None, min_length=1, max_length=200, description="An id that GET /v1/voices lists.")
    tts: str | None = Field(
        None,
        pattern=r"^[a-z0-9_]+(:[a-z0-9_]+)?$",
        max_length=100,
        description="The provider; without it the one that has the voice.",
    )
    metadata: Metadata | None = None

    async def parse(self, resources: BodyResources) -> ParsedBody:
        """Its first sound is synthesised before the request is answered."""
        if len(self.text) > MAX_CHARACTERS:
            raise too_long()
        try:
            sound, voice = await resources.say(self.text, voice=self.voice, tts=self.tts, text_format=self.text_format)
        except ConfigurationError as error:
            raise ApiProblem("bad-parameter", str(error), field="tts") from None
        except TTSBadVoice as error:
            raise ApiProblem(error.slug, str(error), field="voice") from None
        except TTSBadText as error:
            raise ApiProblem(error.slug, str(error), field="text") from None
        return ParsedBody(
            sound,
            Source(
                "text",
                text=self.text,
                voice=voice,
                tts=self.tts,
                text_format=None if self.text_format == "plain" else self.text_format,
            ),
            self.model_dump(include={"text", "voice", "tts", "text_format"}, exclude_defaults=True),
            self.metadata,
        )


def too_long() -> ApiProblem:
    return ApiProblem(
        "text-too-long", f"At most {MAX_CHARACTERS:,} characters can be spoken at once: send it in parts.", field="text"
    )
