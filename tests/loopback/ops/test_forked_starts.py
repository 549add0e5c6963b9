"""A command that is forked with its imports done is, seen from outside, one that was started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from tests.forked_starts import ForkedStarts, forked_starts

COMMAND = [sys.executable, "-m", "mouthpiece_sender"]
NOBODY = "http://127.0.0.1:9"
WITHIN = 60.0
"""Seconds for the imports, on a busy machine."""


@pytest.fixture(scope="module")
def starts() -> Iterator[ForkedStarts]:
    """Ready to fork ``mouthpiece``: one was started anew."""
    with forked_starts() as starts:
        assert subprocess.run([*COMMAND, "--help"], stdout=subprocess.DEVNULL, check=False).returncode == 0
        assert starts.forked == 0
        assert starts.wait(WITHIN)
        yield starts


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TRACED_INTO") if name in os.environ}
    return subprocess.run(
        [*COMMAND, *arguments], env=kept | environment, cwd=cwd, capture_output=True, text=True, timeout=WITHIN
    )


@pytest.mark.parametrize(
    "arguments", [("--help",), ("serve",), ("play", "gone.wav", "--service", NOBODY), ("nothing",)]
)
def test_it_says_the_same_and_ends_with_the_same_code(
    starts: ForkedStarts, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    starts.off = True
    anew = run(*arguments, cwd=tmp_path)
    starts.off = False
    before = starts.forked
    forked = run(*arguments, cwd=tmp_path)
    assert starts.forked == before + 1
    assert (forked.returncode, forked.stdout, forked.stderr) == (anew.returncode, anew.stdout, anew.stderr)


def test_it_has_its_own_folder_and_environment(starts: ForkedStarts, tmp_path: Path) -> None:
    (tmp_path / ".env.local").write_text("LIVEKIT_URL=ws://127.0.0.1:9\n")
    assert "LIVEKIT_API_KEY, LIVEKIT_API_SECRET not set" in run("serve", cwd=tmp_path).stderr
    assert "LIVEKIT_API_SECRET not set" in run("serve", cwd=tmp_path, LIVEKIT_API_KEY="key").stderr
    assert "LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET not set" in run("serve", cwd=tmp_path.parent).stderr


def test_it_finds_modules_by_its_own_path(starts: ForkedStarts, tmp_path: Path) -> None:
    (tmp_path / "voice_of_ours.py").write_text("raise SystemExit('found')")
    before = starts.forked
    said = run("say", "Hello.", "--room", "demo", "--tts", "voice_of_ours:Voice", PYTHONPATH=str(tmp_path))
    assert starts.forked == before + 1
    assert said.stderr.strip() == "found"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_is_a_child_of_ours_in_a_session_of_its_own_and_signals_end_it(
    starts: ForkedStarts, number: signal.Signals
) -> None:
    before = starts.forked
    command = [*COMMAND, "say", "-", "--room", "demo", "--service", NOBODY]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert starts.forked == before + 1
    assert process.pid in [child.pid for child in psutil.Process().children()]
    assert os.getsid(process.pid) == process.pid
    process.send_signal(number)
    _, said = process.communicate(timeout=WITHIN)
    assert said == b""
    assert process.returncode in (-number, 130), "130: it was past its own imports"


@pytest.mark.parametrize(
    ("command", "environment"),
    [([*COMMAND, "--help"], {"PYTHONWARNINGS": "default"}), ([sys.executable, "-c", "pass"], {}), (["true"], {})],
)
def test_what_python_itself_reads_and_other_commands_start_anew(
    starts: ForkedStarts, command: list[str], environment: Mapping[str, str]
) -> None:
    before = starts.forked
    subprocess.run(command, env=os.environ | environment, stdout=subprocess.DEVNULL, check=True, timeout=WITHIN)
    assert starts.forked == before


def test_nothing_of_it_is_left_at_the_end() -> None:
    with forked_starts() as starts:
        subprocess.run([*COMMAND, "--help"], stdout=subprocess.DEVNULL, check=True)
        [server] = [child for child in psutil.Process().children() if child.pid in starts.servers()]
    assert not server.is_running()
