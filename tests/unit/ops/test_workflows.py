"""The workflow of GitHub has never run here: it is held against GitHub's schema, and its commands are there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.product_source import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))


def conforms(file: Path, schema: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file)
    return subprocess.run(command, capture_output=True, text=True)


def runs(workflow: Path) -> Iterator[str]:
    """Each command of a workflow."""
    jobs: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
    for job in jobs.values():
        for step in job["steps"]:
            yield from re.split(r"&&|\n", step.get("run", ""))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_conforms_to_the_schema_of_github(workflow: Path, tmp_path: Path) -> None:
    done = conforms(workflow, "vendor.github-workflows")
    assert done.returncode == 0, done.stdout
    (tmp_path / "wrong.yml").write_text(workflow.read_text().replace("steps:", "step:"))
    assert conforms(tmp_path / "wrong.yml", "vendor.github-workflows").returncode == 1


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_command_of_a_workflow_is_there(workflow: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    tried = 0
    for command in runs(workflow):
        words = [
            word for word in shlex.split(command, comments=True) if "=" not in word and word not in ("sudo", "env")
        ]
        if words:
            tried += 1
            program, *arguments = words
            if program == "make":
                assert {*arguments} <= {*targets}
            else:
                assert os.access(ROOT / program, os.X_OK), command
    assert tried


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_an_issue_form_conforms_to_the_schema_of_github(form: Path) -> None:
    schema = "vendor.github-issue-config" if form.name == "config.yml" else "vendor.github-issue-forms"
    done = conforms(form, schema)
    assert done.returncode == 0, done.stdout
