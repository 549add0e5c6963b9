"""A segment to be said once more: ``{"segment": id}``."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from mouthpiece_sender.api.bodies.kind import BodyResources, ParsedBody
from mouthpiece_sender.api.metadata import Metadata
from mouthpiece_sender.api.requests import RequestModel


class AgainBody(RequestModel):
    """The JSON of a segment that is said once more."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"segment": "seg_0198c5d2a3f1c0ffee12a3"}]}
    )

    segment: str = Field(
        min_length=1,
        max_length=100,
        description="The id of a segment whose words are stored, or whose sound is still kept.",
    )
    metadata: Metadata | None = None

    async def parse(self, resources: BodyResources) -> ParsedBody:
        sound, source = await resources.again(self.segment)
        return ParsedBody(sound, source, {"segment": self.segment}, self.metadata)
