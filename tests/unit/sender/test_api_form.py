"""Forms, in whatever pieces they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mouthpiece.net_guard import Download
from mouthpiece.segments import AudioInfo, Source, TextFormat
from mouthpiece_sender.api.bodies.form import Form
from mouthpiece_sender.api.bodies.kind import ParsedBody, RequestBody
from mouthpiece_sender.api.bodies.raw_pcm import RawPcm
from mouthpiece_sender.api.bodies.sound_file import SoundFile
from mouthpiece_sender.api.media_types import clean_name
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.speech.voices import Voices
from mouthpiece_sender.storage.spool import StoredAudio
from tests.sounds import Tone

BOUNDARY = "frontier"
FILE = bytes(range(256)) * 20 + b"\r\n--frontie\r\n--"


class FakeResources:
    """Stores in memory; every file sounds as a tone."""

    max_seconds = 10.0
    voices: Voices
    """Not there: no text comes in a form."""

    def __init__(self) -> None:
        self.stored = b""

    async def store(self, chunks: AsyncIterator[bytes]) -> StoredAudio:
        async for chunk in chunks:
            self.stored += chunk
        return StoredAudio(Path("stored"), len(self.stored), "digest")

    async def sound(self, path: Path) -> Tone:
        return Tone(1.0)

    def download(self, url: str) -> AbstractAsyncContextManager[Download]:
        raise NotImplementedError

    async def say(
        self, text: str, *, voice: str | None, tts: str | None, text_format: TextFormat
    ) -> tuple[Tone, str | None]:
        raise NotImplementedError

    async def again(self, segment_id: str) -> tuple[Tone, Source]:
        raise NotImplementedError


def part(name: str, content: bytes, *, filename: str | None = None, kind: str | None = None) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
    head += f'; filename="{filename}"' if filename else ""
    head += f"\r\nContent-Type: {kind}" if kind else ""
    return head.encode() + b"\r\n\r\n" + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
WHOLE = part("note", b"before") + part("file", FILE, filename="hello.wav", kind="audio/wav") + part("x", b"y") + END


async def read(
    form: bytes, sizes: list[int] | None = None, boundary: str = BOUNDARY
) -> tuple[ParsedBody, FakeResources]:
    async def chunks() -> AsyncIterator[bytes]:
        rest, pieces = form, iter(sizes or ())
        while rest:
            size = next(pieces, 4096)
            yield rest[:size]
            rest = rest[size:]

    resources = FakeResources()
    body = RequestBody("multipart/form-data", {"boundary": boundary}, None, chunks())
    return await Form(RawPcm(), SoundFile()).read(body, resources), resources


@given(sizes=st.lists(st.integers(1, 300), max_size=80))
async def test_the_file_comes_out_whole_however_the_form_is_cut(sizes: list[int]) -> None:
    spoken, resources = await read(WHOLE, sizes)
    assert resources.stored == FILE
    assert spoken.source.name == "hello.wav"


@pytest.mark.parametrize("first", [True, False])
@given(sizes=st.lists(st.integers(1, 300), max_size=80))
async def test_metadata_comes_out_before_or_behind_the_file_however_the_form_is_cut(
    first: bool, sizes: list[int]
) -> None:
    metadata, file = part("metadata", b'{"a": [1, "\xc3\xa4"]}'), part("file", FILE, kind="audio/wav")
    spoken, resources = await read((metadata + file if first else file + metadata) + END, sizes)
    assert spoken.metadata == {"a": [1, "ä"]}
    assert resources.stored == FILE


async def test_raw_samples_in_a_form_are_read_by_their_type() -> None:
    form = part("file", b"\0\1" * 800, filename="x", kind="audio/L16; rate=8000; channels=2") + END
    spoken, _ = await read(form)
    assert spoken.sound.info == AudioInfo(8000, 2, 0.05)


@pytest.mark.parametrize(
    ("form", "slug"),
    [
        (b"", "bad-body"),
        (part("other", b"x") + END, "bad-body"),
        (WHOLE[:200], "bad-body"),
        (WHOLE[: -len(END)], "bad-body"),
        (part("file", b"1") + part("file", b"2") + END, "bad-body"),
        (b"--" + b"frontier?" + WHOLE, "bad-body"),
        (part("file", b"text", kind="text/plain") + END, "unsupported-format"),
        (part("metadata", b"{}") * 2 + part("file", b"1") + END, "bad-body"),
        (part("metadata", b"[]") + part("file", b"1") + END, "bad-parameter"),
        (part("metadata", b"{}" + b" " * 20_000) + part("file", b"1") + END, "bad-parameter"),
    ],
)
async def test_forms_that_are_not_as_they_should_be_are_refused(form: bytes, slug: str) -> None:
    with pytest.raises(ApiProblem) as refused:
        await read(form)
    assert refused.value.slug == slug


@pytest.mark.parametrize("boundary", ["", "x" * 71])
async def test_a_form_needs_a_boundary(boundary: str) -> None:
    with pytest.raises(ApiProblem, match="boundary"):
        await read(WHOLE, boundary=boundary)


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("hello.wav", "hello.wav"),
        ("C:\\sounds\\a b.mp3", "a b.mp3"),
        ("../../etc/passwd", "passwd"),
        ("a\nb\x00.wav", "ab.wav"),
        ("x" * 500, "x" * 200),
        ("", None),
        ("/", None),
    ],
)
def test_names_are_shown_without_folders(given_name: str, name: str | None) -> None:
    assert clean_name(given_name) == name
