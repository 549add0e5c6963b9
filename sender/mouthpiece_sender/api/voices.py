"""The voices that can speak a text."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from mouthpiece.errors import ConfigurationError
from mouthpiece_sender.api.dependencies import Deps
from mouthpiece_sender.api.models import ResponseModel
from mouthpiece_sender.api.openapi import problems
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import RequestModel

router = APIRouter(tags=["Voices"])


class VoicesQuery(RequestModel):
    tts: str | None = Field(
        None, max_length=100, description="List one provider's voices only; if it fails, the answer is its error."
    )


class Voice(ResponseModel):
    id: str = Field(description="The value for `voice` of a text.")
    name: str
    language: str = Field(description="BCP 47 tag; empty: several languages, or unknown.")
    provider: str = Field(
        description="The value for `tts` of a text; needed where two providers have a voice of the same id."
    )
    default: bool = Field(description="It speaks texts that name no voice.")


class VoiceList(ResponseModel):
    voices: list[Voice] = Field(description="The default first.")


@router.get("/v1/voices", responses=problems(400, 401, 403, 429, 502))
async def voices(query: Annotated[VoicesQuery, Query()], deps: Deps) -> VoiceList:
    """List the voices of all providers that can be used here."""
    try:
        listed = await deps.voices.list_voices(query.tts)
    except ConfigurationError as error:
        raise ApiProblem("bad-parameter", str(error), field="tts") from None
    shown = [
        Voice(
            id=one.voice.id,
            name=one.voice.name,
            language=one.voice.language,
            provider=one.voice.provider,
            default=one.default,
        )
        for one in listed
    ]
    return VoiceList(voices=shown)
