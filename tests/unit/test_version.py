"""The version is that of pyproject.toml: Python reads the distribution's metadata, and all else is held to it here."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from datetime import date
from importlib.metadata import version

import pytest
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


@pytest.mark.parametrize(
    ("path", "stated"),
    [
        ("clients/typescript/package.json", r'^  "version": "(.+)"'),
        ("clients/typescript/package-lock.json", r'^(?:  |      )"version": "(.+)",\n +"(?:lockfileVersion|license)'),
        ("deploy/kubernetes/one-pod/kustomization.yaml", r'newTag: "(.+)"'),
        ("deploy/kubernetes/split/kustomization.yaml", r'newTag: "(.+)"'),
        ("docs/kubernetes.md", r"mouthpiece-\$part:(\S+)"),
    ],
)
def test_other_files_state_the_same(path: str, stated: str) -> None:
    assert set(re.findall(stated, (ROOT / path).read_text(), re.MULTILINE)) == {PROJECT["version"]}


def test_the_page_has_none() -> None:
    assert "version" not in json.loads((ROOT / "web/package.json").read_text())


def test_the_changelog_has_its_day_and_above_it_only_what_is_not_released() -> None:
    _, *parts = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    headings, contents = zip(*(part.split("\n", 1) for part in parts), strict=True)
    released = headings.index(next(heading for heading in headings if heading != "[Unreleased]"))
    version, _, day = headings[released].partition(" - ")
    assert version == f"[{PROJECT['version']}]"
    assert date.fromisoformat(day)
    assert released <= 1
    assert all("\n- " in content for content in contents), "a heading without a change"
