"""What a command is given: options out of range, a secret in a file, sound on standard input; and turns that fail."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from typer.testing import CliRunner

from mouthpiece.errors import (
    AudioError,
    AudioTooLarge,
    AvatarTimeout,
    ConfigurationError,
    LiveKitUnavailable,
    MouthpieceError,
)
from mouthpiece_sender.cli.application import application
from mouthpiece_sender.cli.input_file import input_file
from mouthpiece_sender.cli.options import livekit_access
from mouthpiece_sender.cli.outcome import run
from mouthpiece_sender.cli.say import say
from mouthpiece_sender.cli.text_input import standard_input
from mouthpiece_sender.speech.incremental_text import IncrementalText, write

SERVICE = ("--service", "http://127.0.0.1:9")


@pytest.mark.parametrize("where", [(), SERVICE])
@pytest.mark.parametrize("command", [("play", "hello.wav"), ("say", "Hello.")])
@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "86401"])
def test_a_time_in_which_nothing_can_be_said_is_wrong_usage(
    where: tuple[str, ...], command: tuple[str, str], seconds: str
) -> None:
    result = CliRunner().invoke(
        application(command[0]), [*command, "--room", "demo", f"--expires-in={seconds}", *where]
    )
    assert result.exit_code == 2
    assert "--expires-in" in result.stderr


def test_a_secret_file_that_is_no_text_is_reported_by_the_options_name(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"\xff\xfe\x00secret")
    with pytest.raises(ConfigurationError, match=r"--api-secret-file .* it is not text"):
        livekit_access("ws://host", secret)


@pytest.mark.parametrize(("name", "said"), [("gone", "No such file"), (".", "Is a directory")])
def test_a_secret_file_that_cannot_be_read_is_reported_by_the_options_name(
    tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"--api-secret-file .* cannot be read: {said}"):
        livekit_access("ws://host", tmp_path / name)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where standard input is written."""
    source, written = os.pipe()
    with os.fdopen(source, "rb") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield written
        try:
            os.close(written)
        except OSError:
            pass  # the test did


async def test_standard_input_is_played_as_a_file(pipe: int) -> None:
    os.write(pipe, b"a sound")
    os.close(pipe)
    async with input_file("-") as path:
        assert await asyncio.to_thread(path.read_bytes) == b"a sound"
    assert not await asyncio.to_thread(path.exists)


async def test_nothing_on_standard_input_is_reported(pipe: int) -> None:
    os.close(pipe)
    with pytest.raises(AudioError, match="Nothing came on standard input"):
        async with input_file("-"):
            pass


async def test_standard_input_that_is_closed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(AudioError, match="Nothing came on standard input"):
        async with input_file("-"):
            pass


async def test_standard_input_that_cannot_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(fileno=lambda: folder))
    try:
        with pytest.raises(MouthpieceError, match="Standard input cannot be read: Is a directory"):
            async with input_file("-"):
                pass
        text = IncrementalText()
        await write(text, standard_input())
        with pytest.raises(MouthpieceError, match="Standard input cannot be read: Is a directory"):
            await text.sentence(0)
    finally:
        os.close(folder)


async def test_standard_input_without_an_end_is_refused_before_the_disk_is_full(
    pipe: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mouthpiece_sender.cli.input_file.MAX_BYTES", 1_000_000)

    def write_for_ever() -> None:
        try:
            while True:
                os.write(pipe, b"-" * 60_000)
        except OSError:
            pass  # it is closed

    writer = threading.Thread(target=write_for_ever, daemon=True)
    writer.start()
    with pytest.raises(AudioTooLarge, match="larger than 1 MB"):
        async with input_file("-"):
            pass
    sys.stdin.close()
    writer.join()  # or it goes on with the descriptor's next owner


async def test_text_that_is_cut_inside_a_letter_is_put_together(pipe: int) -> None:
    letters = "äöü".encode()
    pieces = standard_input()
    os.write(pipe, letters[:3])
    assert await anext(pieces) == "ä"
    os.write(pipe, letters[3:])
    os.close(pipe)
    assert "".join([piece async for piece in pieces]) == "öü"


class FakeDestination:
    """Each segment ends with the next of ``ends``; after ``turns`` segments the viewer window is closed."""

    def __init__(self, *ends: MouthpieceError | str, turns: int = 100) -> None:
        self.ends = list(ends)
        self.turns = turns
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return len(self.waits) > self.turns

    @asynccontextmanager
    async def open(self) -> AsyncIterator[FakeDestination]:
        yield self

    async def play(self, path: Path, options: Any) -> Any:
        end = self.ends.pop(0)
        if isinstance(end, MouthpieceError):
            raise end
        return Ended(end)


class Ended:
    def __init__(self, state: str) -> None:
        self.state = state

    async def finished(self) -> dict[str, Any]:
        return {
            "id": "seg_1",
            "state": self.state,
            "source": {"name": "hello.wav"},
            "position": 1.0,
            "audio": {"duration": 1.0},
            "receipt": "confirmed",
            "error": None,
        }


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ((LiveKitUnavailable("LiveKit is away."), "finished"), 1),
        (("finished", LiveKitUnavailable("LiveKit is away."), "finished"), 1),
        (("interrupted", "finished"), 5),
        (("finished", "finished"), 0),
    ],
)
def test_a_segment_that_fails_is_printed_and_counts_and_the_next_one_is_played(
    ends: tuple[MouthpieceError | str, ...], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = FakeDestination(*ends)
    monkeypatch.setattr("mouthpiece_sender.cli.loop.destination_options", lambda *_, **__: destination)
    result = CliRunner().invoke(
        application("loop"), ["loop", __file__, "--room", "demo", "--interval", "0", "--times", str(len(ends))]
    )
    assert result.exit_code == code
    assert result.stdout.count("finished") == ends.count("finished")
    assert result.stderr.count("LiveKit is away.") == sum(isinstance(end, MouthpieceError) for end in ends)
    assert destination.waits == [0.0, *(0.0 if end == "finished" else 1.0 for end in ends[:-1])]


def test_a_loop_ends_when_the_viewer_window_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    destination = FakeDestination("finished", "finished", turns=2)
    monkeypatch.setattr("mouthpiece_sender.cli.loop.destination_options", lambda *_, **__: destination)
    result = CliRunner().invoke(application("loop"), ["loop", __file__, "--room", "demo", "--interval", "0"])
    assert (result.exit_code, destination.ends) == (0, [])


class Typing:
    """A destination for text that is typed at a terminal, as one segment."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Typing]:
        yield self

    async def say(self, text: Any, options: Any, voice: Any, tts: Any) -> AsyncIterator[Ended]:
        async def each() -> AsyncIterator[Ended]:
            yield Ended("finished")

        return each()


@pytest.mark.parametrize(("text", "terminal", "bar"), [("-", True, False), ("-", False, True), ("Hello.", True, True)])
def test_no_bar_is_drawn_over_what_is_being_typed(
    text: str, terminal: bool, bar: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet: list[bool] = []

    async def watch(handle: Ended, **given: bool) -> dict[str, Any]:
        quiet.append(given["quiet"])
        return await handle.finished()

    monkeypatch.setattr("mouthpiece_sender.cli.say.destination_options", lambda *_, **__: Typing())
    monkeypatch.setattr("mouthpiece_sender.cli.say.watch", watch)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: terminal))
    with pytest.raises(SystemExit) as ended:
        say(cast(typer.Context, None), text, "demo")
    assert (ended.value.code, quiet) == (0, [not bar])


@pytest.mark.parametrize(
    ("error", "code"), [(ConfigurationError("A name is missing."), 2), (AvatarTimeout("Gone."), 3)]
)
def test_for_a_machine_an_error_is_a_line_too(
    error: MouthpieceError, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> int:
        raise error

    out, said = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", said)
    for as_json in (True, False):
        with pytest.raises(SystemExit) as ended:
            run(work, as_json=as_json)
        assert ended.value.code == code
    assert json.loads(out.getvalue()) == {"error": {"type": error.slug, "detail": str(error)}}
    assert said.getvalue() == f"mouthpiece: {error}\n" * 2
