"""JSON bodies: the object's keys say which of them it is."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from mouthpiece_sender.api.bodies.again import AgainBody
from mouthpiece_sender.api.bodies.encoded_sound import MAX_BYTES as MAX_ENCODED
from mouthpiece_sender.api.bodies.encoded_sound import EncodedSoundBody
from mouthpiece_sender.api.bodies.kind import BodyKind, BodyResources, ParsedBody, RequestBody
from mouthpiece_sender.api.bodies.text import MAX_BYTES, TextBody, too_long
from mouthpiece_sender.api.bodies.url import UrlBody
from mouthpiece_sender.api.json_text import ArrivingJson, from_json
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import validated

MODELS: Final = (TextBody, UrlBody, EncodedSoundBody, AgainBody)


class JsonObject:
    """A text, a sound at an address or in base64, or a segment to be said once more.

    A sound is passed to the first of ``kinds`` that takes its media type.
    """

    content: Final[dict[str, Any]] = {
        "application/json": {
            "schema": {"oneOf": [{"$ref": f"#/components/schemas/{model.__name__}"} for model in MODELS]}
        }
    }

    def __init__(self, *kinds: BodyKind) -> None:
        self._kinds = kinds

    def takes(self, media_type: str) -> bool:
        return media_type == "application/json"

    async def read(self, body: RequestBody, resources: BodyResources) -> ParsedBody:
        text = ArrivingJson(body.parameters.get("charset"))
        async for chunk in body.chunks:
            text.feed(chunk)
            del chunk  # the next one may be long in coming
            if len(text.data) > MAX_ENCODED:
                raise too_long() if b'"text"' in text.data[:1000] else _too_large()
        # Off the event loop: a sound of some megabytes takes a while.
        value = await asyncio.to_thread(
            from_json, text.data, example='{"text": "…"}', charset=body.parameters.get("charset")
        )
        size = len(text.data)
        del text  # a sound of ten megabytes is in `value` now
        if "audio" in value:
            return await validated(value, EncodedSoundBody).parse(resources, self._kinds)
        if size > MAX_BYTES:
            raise too_long()
        if "segment" in value:
            return await validated(value, AgainBody).parse(resources)
        if "url" in value:
            return await validated(value, UrlBody).parse(resources, self._kinds)
        return await validated(value, TextBody).parse(resources)


def _too_large() -> ApiProblem:
    return ApiProblem(
        "too-large",
        f"JSON has at most {MAX_ENCODED / 1_000_000:g} MB here: send the sound itself as the body.",
        field="audio",
    )
