"""A sound in base64: ``{"audio", "type"}``, for clients that send nothing but JSON."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from pydantic import ConfigDict, Field

from mouthpiece_sender.api.bodies.kind import BodyKind, BodyResources, ParsedBody, RequestBody
from mouthpiece_sender.api.media_types import read_content_type
from mouthpiece_sender.api.metadata import Metadata
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import RequestModel

MAX_BYTES: Final = 10_000_000
"""Bytes of the JSON: it is held in memory as a whole, several times over."""


class EncodedSoundBody(RequestModel):
    """The JSON of a sound in base64."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"audio": "UklGRiQAAABXQVZF…", "type": "audio/wav"}]},
    )

    audio: str = Field(
        min_length=1,
        description=f"A sound file in base64 (RFC 4648), or a data: URL of one; the JSON has at most {MAX_BYTES:,} "
        "bytes.",
    )
    type: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Its media type, where its content does not say it: `audio/pcm;rate=24000` for raw samples.",
    )
    metadata: Metadata | None = None

    async def parse(self, resources: BodyResources, kinds: Sequence[BodyKind]) -> ParsedBody:
        named, text = self.type, self.audio
        if text[:5].lower() == "data:":
            head, _, text = text[5:].partition(",")
            if not head.lower().endswith(";base64"):
                raise ApiProblem("bad-parameter", "The data: URL is not in base64.", field="audio")
            named = named or head[: -len(";base64")]
        data = _decoded(text)

        async def chunks() -> AsyncIterator[bytes]:
            yield data

        body = RequestBody(
            *read_content_type(named),
            None,
            chunks(),
        )
        kind = next((kind for kind in kinds if kind.takes(body.media_type)), None)
        if kind is None:
            raise ApiProblem("unsupported-format", f"“{body.media_type}” is no type of a sound.", field="type")
        try:
            spoken = await kind.read(body, resources)
        except ApiProblem as problem:
            raise ApiProblem(problem.slug, problem.detail, field="type") from None
        return replace(spoken, metadata=self.metadata)


def _decoded(text: str) -> bytes:
    """
    :raises ApiProblem: ``text`` is not base64, with or without line ends and padding, in either alphabet.
    """
    letters = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ApiProblem("bad-parameter", "The sound is not base64 (RFC 4648).", field="audio") from None
