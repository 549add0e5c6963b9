"""Names of the first layout that were a private dialect do not come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.product_source import ROOT

PYTHON: Final = ("src", "sender", "agents", "avatar", "tests", "bench", "examples")
WEB: Final = ("web/src", "web/tests")

OLD_WORDS: Final = frozenset(
    {
        "actor",
        "barred",
        "casting",
        "ears",
        "fate",
        "keeper",
        "keeping",
        "leash",
        "performer",
        "rehearse",
        "seat",
        "stage",
        "told",
        "whereabouts",
    }
)
"""No part of any name is one of these words."""
OLD_CLASSES: Final = frozenset(
    {"Gates", "Linger", "Parts", "Plan", "Pump", "Script", "SentenceMaker", "Speech", "Turn", "TurnState"}
)
OLD_FUNCTIONS: Final = frozenset({"_land", "_tell", "parts_of"})
OLD_VARIABLES: Final = frozenset({"TURNS"})
OLD_ATTRIBUTES: Final = frozenset({("Pose", "turn")})
OLD_MODULES: Final = frozenset({"gate", "gates", "leash", "linger", "plan", "provider"})
OLD_TEST_MODULES: Final = frozenset(
    {"test_api_guard", "test_api_linger", "test_gate", "test_parts", "test_plan", "test_text_script"}
)

OLD_IN_THE_PAGE: Final = frozenset({"Stage", "Theatre", "Visit", "Trouble", "cast"})
OLD_FILES_OF_THE_PAGE: Final = frozenset({"cast", "stage", "theatre", "trouble", "visit", "voice"})
DECLARATION: Final = re.compile(r"\b(?:class|interface|type|enum|function|const|let|var)\s+(\w+)")


def words(name: str) -> set[str]:
    """The words of ``_EarsOf_stage``: ears, of, stage."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def old_definitions(tree: ast.AST, inside: str = "") -> Iterator[str]:
    """Definitions in ``tree`` that bear an old name; ``inside`` is the class around it."""
    for node in ast.iter_child_nodes(tree):
        within = inside
        names: list[str] = []
        if isinstance(node, ast.ClassDef):
            within = node.name
            if words(node.name) & OLD_WORDS or node.name.lstrip("_") in OLD_CLASSES:
                yield f"class {node.name}"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if words(node.name) & OLD_WORDS or node.name in OLD_FUNCTIONS:
                yield f"def {node.name}"
        elif isinstance(node, ast.arg):
            names = [node.arg]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names = [node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names = [node.attr]
        elif isinstance(node, ast.alias) and node.asname:
            names = [node.asname]
        for name in names:
            if words(name) & OLD_WORDS or name in OLD_VARIABLES or (inside, name) in OLD_ATTRIBUTES:
                yield f"{name}"
        yield from old_definitions(node, within)


def old_names(path: Path) -> list[str]:
    found = [*dict.fromkeys(old_definitions(ast.parse(path.read_text())))]
    modules = OLD_MODULES | OLD_TEST_MODULES
    if words(path.stem) & OLD_WORDS or path.stem in modules:
        found.append(f"module {path.stem}")
    return found


def in_python() -> Iterator[str]:
    for folder in PYTHON:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in old_names(path):
                yield f"{path.relative_to(ROOT)}: {name}"


def in_the_page() -> Iterator[str]:
    for folder in WEB:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".ts", ".css"}:
                continue
            if path.name.partition(".")[0] in OLD_FILES_OF_THE_PAGE:
                yield f"{path.relative_to(ROOT)}: file {path.name}"
            if path.suffix == ".ts":
                for match in DECLARATION.finditer(path.read_text()):
                    if match[1] in OLD_IN_THE_PAGE:
                        yield f"{path.relative_to(ROOT)}: {match[0]}"


def test_no_definition_or_module_bears_an_old_name() -> None:
    assert [*in_python(), *in_the_page()] == []


@pytest.mark.parametrize(
    ("source", "old"),
    [
        ("class Ears: pass", ["class Ears"]),
        ("class _Plan: pass", ["class _Plan"]),
        ("class Planner: pass", []),
        ("def _land(self): pass", ["def _land"]),
        ("def landing(self): pass", []),
        ("async def run(seat): x.lost_told = 1", ["seat", "lost_told"]),
        ("TURNS = 1\nturn: int", ["TURNS"]),
        ("class Pose:\n    turn: int", ["turn"]),
        ("class Head:\n    turn: int", []),
        ("import a as stage", ["stage"]),
        ("self.stage.close()\nstage", []),
    ],
)
def test_the_reader_sees_definitions_and_no_uses(source: str, old: list[str]) -> None:
    assert list(old_definitions(ast.parse(source))) == old
