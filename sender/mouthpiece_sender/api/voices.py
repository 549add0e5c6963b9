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
    tts: str | None = Field(None, max_length=100, description="Of one provider; its failure is then answered too.")


class Voice(ResponseModel):
    id: str = Field(description="What `voice` of a text is set to.")
    name: str
    language: str = Field(description="BCP 47 tag; empty: many, or its provider does not say.")
    provider: str = Field(description="What `tts` of a text is set to; needed where two have a voice of one id.")
    default: bool = Field(description="It speaks when a text names none.")


class Voices(ResponseModel):
    voices: list[Voice] = Field(description="The default first.")


@router.get("/v1/voices", responses=problems(400, 401, 403, 429, 502))
async def voices(query: Annotated[VoicesQuery, Query()], deps: Deps) -> Voices:
    """The voices of all providers that can be used here."""
    try:
        listed = await deps.speech.voices(query.tts)
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
    return Voices(voices=shown)
