"""A sound at an address: ``{"url"}``. It is downloaded, through the guard of URLs, before the request is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import ConfigDict, Field

from mouthpiece_sender.api.bodies.kind import BodyKind, BodyResources, ParsedBody, RequestBody
from mouthpiece_sender.api.media_types import clean_name, read_content_type
from mouthpiece_sender.api.metadata import Metadata
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import RequestModel


class UrlBody(RequestModel):
    """The JSON of a sound at an address."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"url": "https://example.org/news.mp3"}]}
    )

    url: str = Field(
        min_length=1,
        max_length=2000,
        description="A public http or https address of a sound file, or one of the hosts that the operator allows.",
    )
    metadata: Metadata | None = None

    async def parse(self, resources: BodyResources, kinds: Sequence[BodyKind]) -> ParsedBody:
        """
        :raises UrlError: the URL may not be asked, or it did not answer with a body in time.
        """
        async with resources.download(self.url) as answer:
            body = RequestBody(
                *read_content_type(answer.content_type),
                clean_name(answer.name or ""),
                answer.blocks,
            )
            kind = next((kind for kind in kinds if kind.takes(body.media_type)), None)
            if kind is None:  # servers give files types of their own: the content decides
                body = replace(body, media_type="")
                kind = next(kind for kind in kinds if kind.takes(""))
            try:
                spoken = await kind.read(body, resources)
            except ApiProblem as problem:  # its Content-Type, not the request's
                raise ApiProblem(problem.slug, problem.detail, field="url") from None
        return ParsedBody(spoken.sound, replace(spoken.source, kind="url"), {"url": self.url}, self.metadata)
