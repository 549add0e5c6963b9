"""``multipart/form-data`` with a sound file in ``file`` and, before or after it, a JSON object in ``metadata``.

It is parsed as it arrives: one chunk is in memory at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from mouthpiece_sender.api.bodies.kind import BodyKind, BodyResources, ParsedBody, RequestBody
from mouthpiece_sender.api.json_text import from_json
from mouthpiece_sender.api.media_types import clean_name, read_content_type
from mouthpiece_sender.api.metadata import Metadata
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import RequestModel, validated

FIELD: Final = "file"
METADATA: Final = "metadata"
MOST_PARTS: Final = 32
MOST_METADATA: Final = 16_384
"""Bytes of that part, white space included."""
MOST_HEADER: Final = 8_192
"""Bytes of the headers of a part."""


class Form:
    """Passes the file to the first of ``kinds`` that takes its media type."""

    content: Final[dict[str, Any]] = {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [FIELD],
                "properties": {
                    FIELD: {"type": "string", "format": "binary", "description": "A sound file."},
                    METADATA: {"type": "string", "description": "A JSON object to attach to the segment."},
                },
            }
        }
    }

    def __init__(self, *kinds: BodyKind) -> None:
        self._kinds = kinds

    def takes(self, media_type: str) -> bool:
        return media_type == "multipart/form-data"

    async def read(self, body: RequestBody, resources: BodyResources) -> ParsedBody:
        boundary = body.parameters.get("boundary", "")
        if not boundary or len(boundary) > 70:  # RFC 2046, 5.1.1
            raise ApiProblem(
                "bad-body", "multipart/form-data needs its boundary in the Content-Type.", field="Content-Type"
            )
        form = _MultipartForm(boundary.encode("latin-1", "replace"), body.chunks)
        header = await form.open_file()
        kind = next((kind for kind in self._kinds if kind.takes(header.media_type)), None)
        if kind is None:
            raise ApiProblem("unsupported-format", f"The part “{FIELD}” is no sound: {header.media_type}.", field=FIELD)
        spoken = await kind.read(replace(header, chunks=form.file()), resources)
        await form.finish()
        return replace(spoken, metadata=form.metadata())


class _MetadataPart(RequestModel):
    metadata: Metadata


class _MultipartForm:
    """A form that is arriving: feeds chunks to the parser, whose callbacks collect the file."""

    def __init__(self, boundary: bytes, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_begin,
                "on_header_field": self._on_name,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._on_end,
                "on_end": self._on_whole,
            },
        )
        self._parts = 0
        self._header_bytes = 0
        self._headers: dict[bytes, bytes] = {}
        self._header = (b"", b"")
        self._file: RequestBody | None = None
        self._in_file = self._file_over = self._whole = False
        self._data: deque[bytes] = deque()
        self._metadata: bytearray | None = None
        self._in_metadata = False

    async def open_file(self) -> RequestBody:
        """Read up to the file and return what its headers say; ``file`` yields its content.

        :raises ApiProblem: the form has no part ``file``, or cannot be parsed.
        """
        while self._file is None:
            if not await self._pull():
                raise ApiProblem("bad-body", f"The form has no part “{FIELD}”.", field=FIELD)
        return self._file

    async def file(self) -> AsyncIterator[bytes]:
        """Yield the content of the file.

        :raises ApiProblem: the form ends in the middle of it, or cannot be parsed.
        """
        while True:
            while self._data:
                yield self._data.popleft()
            if self._file_over:
                return
            if not await self._pull():
                raise ApiProblem("bad-body", "The form ends in the middle of the file.", field=FIELD)

    async def finish(self) -> None:
        """Read the form to its end and drop what follows the file.

        :raises ApiProblem: the form is incomplete.
        """
        while await self._pull():
            self._data.clear()
        if not self._whole:
            raise ApiProblem("bad-body", "The form is cut off: its last boundary is missing.")

    def metadata(self) -> dict[str, Any] | None:
        """Return the object in the part ``metadata``; None if there is none. Call it once the form was read.

        :raises ApiProblem: it is no JSON object, or too large.
        """
        if self._metadata is None:
            return None
        try:
            value = from_json(self._metadata)
        except ApiProblem:
            raise ApiProblem("bad-parameter", f"The part “{METADATA}” is no JSON object.", field=METADATA) from None
        return validated({METADATA: value}, _MetadataPart).metadata

    async def _pull(self) -> bool:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            return False
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise ApiProblem("bad-body", "The form cannot be read: it is not as RFC 7578 describes one.") from None
        return True

    def _on_begin(self) -> None:
        self._headers = {}
        self._header_bytes = 0
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise ApiProblem("bad-body", f"The form has more than {MOST_PARTS} parts: “{FIELD}” is one of them.")

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._count_header(end - start)
        self._header = (name + data[start:end], value)

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._count_header(end - start)
        self._header = (name, value + data[start:end])

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > MOST_HEADER:
            raise ApiProblem("bad-body", f"The headers of a part have more than {MOST_HEADER} bytes.")

    def _on_header_end(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = (b"", b"")

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("latin-1")
        if name == METADATA:
            if self._metadata is not None:
                raise ApiProblem("bad-body", f"The form has more than one part “{METADATA}”.", field=METADATA)
            self._metadata, self._in_metadata = bytearray(), True
        if name != FIELD:
            return
        if self._file is not None:
            raise ApiProblem("bad-body", f"The form has more than one part “{FIELD}”: send one segment a request.")
        media_type, parameters = read_content_type(self._headers.get(b"content-type"))
        self._in_file = True
        self._file = RequestBody(
            media_type=media_type,
            parameters=parameters,
            name=clean_name(options.get(b"filename", b"").decode("utf-8", "replace")),
            chunks=self._chunks,
        )

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._data.append(data[start:end])
        if self._in_metadata and self._metadata is not None:
            self._metadata += data[start:end]
            if len(self._metadata) > MOST_METADATA:
                raise ApiProblem("bad-parameter", f"The part “{METADATA}” is too large.", field=METADATA)

    def _on_end(self) -> None:
        self._in_metadata = False
        if self._in_file:
            self._in_file, self._file_over = False, True

    def _on_whole(self) -> None:
        self._whole = True
