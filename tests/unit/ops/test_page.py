from __future__ import annotations

import os
from pathlib import Path

import pytest

from mouthpiece_sender.demo import page


@pytest.fixture
def web(tmp_path: Path) -> Path:
    (tmp_path / "package-lock.json").write_text("{}")
    return tmp_path


def test_packages_are_installed_where_none_are(web: Path) -> None:
    assert page.installation_is_due(web)


@pytest.mark.parametrize("age, due", [(-60, True), (60, False)])
def test_packages_are_installed_again_when_the_lock_is_newer(web: Path, age: int, due: bool) -> None:
    installed = web / page.INSTALLED
    installed.parent.mkdir()
    installed.touch()
    lock = (web / "package-lock.json").stat().st_mtime
    os.utime(installed, (lock + age, lock + age))
    assert page.installation_is_due(web) is due


def test_the_npm_that_came_with_a_node_is_run_by_it(tmp_path: Path) -> None:
    script = tmp_path / "lib/node_modules/npm/bin/npm-cli.js"
    script.parent.mkdir(parents=True)
    script.touch()
    node = tmp_path / "bin/node"
    assert page.npm_command(node) == [str(node), str(script)]


def test_a_node_that_carries_no_npm_uses_the_one_on_path(tmp_path: Path) -> None:
    assert page.npm_command(tmp_path / "bin/node") == ["npm"]
