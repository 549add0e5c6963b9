"""The version is written in pyproject.toml alone; everything that shows it reads the distribution's metadata."""

from __future__ import annotations

import ast
import tomllib
from importlib.metadata import version

from typer.testing import CliRunner

from mouthpiece.extras import DISTRIBUTION
from mouthpiece_sender.cli.application import application
from tests.product_source import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHON = ("src", "sender", "agents", "avatar")


def test_the_installed_version_is_that_of_pyproject() -> None:
    assert version(DISTRIBUTION) == PROJECT["version"]


def test_the_command_prints_it() -> None:
    assert CliRunner().invoke(application(None), ["--version"]).output.strip() == PROJECT["version"]


def test_no_module_writes_a_version_of_its_own() -> None:
    """A string ``version=`` in a call, as a web framework takes it, or an assignment to ``__version__``."""
    written = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in PYTHON
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.keyword) and node.arg == "version" and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Name) and node.id == "__version__" and isinstance(node.ctx, ast.Store))
    ]
    assert written == []
