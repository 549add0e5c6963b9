"""The table of commands."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from mouthpiece_sender.cli import COMMANDS
from mouthpiece_sender.cli.application import application


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


def test_an_unknown_command_is_usage_and_the_version_is_told() -> None:
    runner = CliRunner()
    unknown = runner.invoke(application("sreve"), ["sreve"])
    assert unknown.exit_code == 2
    assert "serve" in unknown.output
    assert runner.invoke(application(None), ["--version"]).output.strip().count(".") == 2
