"""JSON bodies: the object's keys say which of them it is."""

from __future__ import annotations

from typing import Any, Final

from mouthpiece_sender.api.bodies.again import AgainBody
from mouthpiece_sender.api.bodies.kind import BodyResources, ParsedBody, RequestBody
from mouthpiece_sender.api.bodies.text import MAX_BYTES, TextBody, too_long
from mouthpiece_sender.api.requests import from_json, validated

_MODELS: Final = (TextBody, AgainBody)


class JsonObject:
    """A text, or a segment to be said once more."""

    content: Final[dict[str, Any]] = {
        "application/json": {"schema": {"oneOf": [model.model_json_schema() for model in _MODELS]}}
    }

    def takes(self, media_type: str) -> bool:
        return media_type == "application/json"

    async def read(self, body: RequestBody, resources: BodyResources) -> ParsedBody:
        data = bytearray()
        async for chunk in body.chunks:
            data += chunk
            if len(data) > MAX_BYTES:
                raise too_long()
        value = from_json(data, example='{"text": "…"}', charset=body.parameters.get("charset"))
        if "segment" in value:
            return await validated(value, AgainBody).parse(resources)
        return await validated(value, TextBody).parse(resources)
