"""Imports point inward: ``mouthpiece_*`` → ``mouthpiece``, never sideways; the core knows no framework."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "mouthpiece": ROOT / "src/mouthpiece",
    "mouthpiece_agents": ROOT / "agents/mouthpiece_agents",
    "mouthpiece_avatar": ROOT / "avatar/mouthpiece_avatar",
    "mouthpiece_sender": ROOT / "sender/mouthpiece_sender",
}
FORBIDDEN_ANYWHERE = {
    # The core is what every part stands on: no agents framework, no web framework.
    "mouthpiece": ("livekit.agents", "livekit.plugins", "fastapi", "starlette", "uvicorn"),
    # Its image installs no livekit-agents.
    "mouthpiece_sender": ("livekit.agents", "livekit.plugins"),
    "mouthpiece_avatar": ("livekit.agents", "livekit.plugins"),
    "mouthpiece_agents": ("fastapi", "starlette"),
}
ADAPTERS = {
    "livekit.agents": {"src/mouthpiece/tts/livekit.py"},
    "livekit.plugins": {"src/mouthpiece/tts/livekit.py"},
}
"""The one file that speaks through an installed LiveKit TTS plugin; it is loaded only where that is asked for."""


def modules(package: str) -> Iterator[Path]:
    return PACKAGES[package].rglob("*.py")


def imported(source: str) -> Iterator[str]:
    """Dotted names that a module imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_imports_sideways_or_outward(package: str) -> None:
    allowed = {package, "mouthpiece"}
    strangers = [other for other in PACKAGES if other not in allowed]
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imported(path.read_text())
        if any(within(name, stranger) for stranger in strangers)
    ]
    assert found == []


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_keeps_away_from_the_frameworks_that_are_not_its_own(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imported(path.read_text())
        for forbidden in FORBIDDEN_ANYWHERE[package]
        if within(name, forbidden) and str(path.relative_to(ROOT)) not in ADAPTERS.get(forbidden, ())
    ]
    assert found == []


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_are_absolute(package: str) -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in modules(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert found == []


@pytest.mark.parametrize("folder", ["agents", "avatar", "sender"])
def test_nothing_importable_lies_beside_a_package(folder: str) -> None:
    """A package called ``agents`` would shadow openai-agents' own."""
    assert sorted(path.name for path in (ROOT / folder).glob("*.py")) == []
    importable = [path.parent.name for path in (ROOT / folder).glob("*/__init__.py")]
    assert importable == [f"mouthpiece_{folder}"]


def test_the_reader_of_imports_sees_every_form() -> None:
    source = "import a.b\nfrom c import d\ndef f():\n    from e.g import h as i\n"
    assert set(imported(source)) == {"a.b", "c", "c.d", "e.g", "e.g.h"}
