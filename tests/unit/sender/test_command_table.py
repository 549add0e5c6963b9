"""The table of commands."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from mouthpiece_sender.cli.application import application
from mouthpiece_sender.cli.commands import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says_and_teaches(name: str) -> None:
    assert callable(getattr(importlib.import_module(f"mouthpiece_sender.cli.{name}"), name))
    said = CliRunner().invoke(application(name), [name, "--help"])
    assert said.exit_code == 0, said.output
    assert "--" in said.output


def test_help_lists_all_and_imports_none_of_them() -> None:
    code = (
        "import sys; sys.argv = ['mouthpiece', '--help']\n"
        "from mouthpiece_sender.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('livekit', 'fastapi', 'numpy') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"
    for name in COMMANDS:
        assert name in said


def test_an_unknown_command_is_usage_and_the_version_is_printed() -> None:
    runner = CliRunner()
    unknown = runner.invoke(application("sreve"), ["sreve"])
    assert unknown.exit_code == 2
    assert "serve" in unknown.output
    assert runner.invoke(application(None), ["--version"]).output.strip().count(".") == 2


def test_the_interpreter_is_not_taken_apart_under_threads_of_other_languages() -> None:
    code = (
        "import os, sys\n"
        "class Late:\n"
        "    def __del__(self, write=os.write): write(1, b'taken apart')\n"
        "late = Late()\n"
        "sys.argv = ['mouthpiece', '--version']\n"
        "from mouthpiece_sender.cli import main\n"
        "main()"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip().count(".") == 2
    assert "taken apart" not in said.stdout


@pytest.mark.parametrize(
    ("ends", "code", "said"),
    [
        ("sys.exit(3)", 3, ""),
        ("sys.exit('in words')", 1, "in words"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("pass", 0, ""),
    ],
)
def test_however_a_command_ends_its_code_and_words_are_whole(ends: str, code: int, said: str) -> None:
    program = (
        "import sys\n"
        "from mouthpiece_sender import cli\n"
        "def work():\n"
        "    print('x' * 100_000)\n"
        f"    {ends}\n"
        "cli._main = work\n"
        "cli.main()"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, len(ended.stdout)) == (code, 100_001)
    assert said in ended.stderr


def test_output_that_nobody_reads_any_more_is_a_failure_without_a_traceback() -> None:
    read, written = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-m", "mouthpiece_sender", "--version"], stdout=written, stderr=subprocess.PIPE, text=True
    )
    os.close(written)
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
