"""Every file that the documentation names is there, and so is the function, class or constant named beside it.

In a document a name in code marks that follows a file in code marks, with nothing but spaces, a comma, a colon, a
bracket or another such name between them, is a name of that file: `playback/pacing.py` `allowance`. A file may be
written from the end of its path, if that fits one file alone; in a table, from the folder that begins the row or the
table.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.product_source import ROOT

DOCUMENTS: Final = (*sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")))
IDS: Final = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

SUFFIXES: Final = ("css", "example", "html", "json", "md", "png", "py", "sh", "toml", "ts", "yml")
FILE: Final = re.compile(rf"[\w.-]+(?:/[\w.-]+)*\.(?:{'|'.join(SUFFIXES)})|\.?[\w-]+(?:/[\w.-]+)*/")
"""A file, or a folder with a slash at its end."""
NAME: Final = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*(?:\(\))?")
CODE: Final = re.compile(r"`([^`]+)`")
BETWEEN: Final = re.compile(r"[\s,:(]*(?:and )?")
LINK: Final = re.compile(r"\]\((?!https?:|#)([^)#]+)")

NO_FILES: Final = frozenset({"openapi.json", "page.json"})
"""Addresses of the service that look like a file."""
SEARCHED: Final = (
    *(".ci", ".github", "agents", "assets", "avatar", "bench", "deploy", "docs", "examples", "sender", "src", "tests"),
    *("web/src", "web/tests"),
)
GENERATED: Final = {"__pycache__", "node_modules"}


@cache
def files() -> tuple[str, ...]:
    """Every file and folder of the repository that a person edits; folders end with a slash."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in SEARCHED:
        found += [ROOT / folder, *(ROOT / folder).rglob("*")]
    named = [path for path in found if not GENERATED & {*path.parts}]
    return tuple(str(path.relative_to(ROOT)) + ("/" if path.is_dir() else "") for path in named)


def matches(name: str) -> list[str]:
    """The files that ``name`` may mean: the one of this path, or those whose path ends with it, tests last."""
    if (ROOT / name).exists():
        return [name]
    found = [path for path in files() if path.endswith(f"/{name}")]
    return [path for path in found if not path.startswith("tests/")] or found


@cache
def names_in(path: str) -> frozenset[str]:
    """What a file defines: functions, classes, attributes and constants, each also with its class before it."""
    text = (ROOT / path).read_text()
    if path.endswith(".py"):
        return frozenset(defined(ast.parse(text)))
    return frozenset(re.findall(r"\b(?:class|interface|type|enum|function|const|let)\s+(\w+)", text))


def defined(node: ast.AST, inside: str = "") -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        within = inside
        names: list[str] = []
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = [child.name]
            if isinstance(child, ast.ClassDef):
                within = f"{child.name}."
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            names = [child.id]
        elif isinstance(child, ast.Attribute) and isinstance(child.ctx, ast.Store):
            names = [child.attr]
        for name in names:
            yield from {name, inside + name}
        yield from defined(child, within)


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def claims(text: str) -> Iterator[tuple[str, str | None]]:
    """Each file that ``text`` names outside of its blocks of code, and each name beside it."""
    text = prose(text)
    folders = dict(folders_of_tables(text))
    file, end = None, -1
    for code in CODE.finditer(text):
        words = code[1]
        if FILE.fullmatch(words) and words not in NO_FILES:
            line = text.count("\n", 0, code.start())
            file, end = within(folders.get(line, ()), words), code.end()
            yield file, None
        elif file is not None and BETWEEN.fullmatch(text[end : code.start()]) and NAME.fullmatch(words):
            end = code.end()
            if file.endswith((".py", ".ts")):
                yield file, words.removesuffix("()")
        else:
            file = None


def folders_of_tables(text: str) -> Iterator[tuple[int, list[str]]]:
    """For each line of a table, the folders that begin the line and the table, if any do."""
    table = ""
    before = ""
    for number, line in enumerate(text.splitlines()):
        if line.startswith("|"):
            first = CODE.search(line.split("|")[1])
            folder = first[1] if first and first[1].endswith("/") else ""
            if not before.startswith("|"):
                table = folder
            yield number, [one for one in (folder, table) if one]
        before = line


def within(folders: Iterable[str], name: str) -> str:
    """``name`` from the root, if one of ``folders`` holds it; else as it is."""
    return next((folder + name for folder in folders if (ROOT / folder / name).exists()), name)


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    unclear = {file: found for file, _ in claims(document.read_text()) if len(found := matches(file)) != 1}
    assert unclear == {}, "each must be one file: write more of its path"


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_name_beside_a_file_stands_in_that_file(document: Path) -> None:
    missing = [
        f"{file} {name}"
        for file, name in claims(document.read_text())
        if name is not None and not any(name in names_in(path) for path in matches(file))
    ]
    assert missing == []


@cache
def members() -> dict[str, set[str]]:
    """The members of each class of the product; classes of one name are taken together."""
    found: dict[str, set[str]] = {}
    for path in files():
        if path.endswith(".py") and path.startswith(("agents/", "avatar/", "sender/", "src/")):
            for name in names_in(path):
                owner, _, member = name.rpartition(".")
                found.setdefault(owner or member, set()).add(member)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_member_of_a_class_is_there_wherever_it_is_named(document: Path) -> None:
    named = [code.removesuffix("()") for code in CODE.findall(prose(document.read_text())) if NAME.fullmatch(code)]
    dotted = [name.split(".") for name in named if name[0].isupper() and name.count(".") == 1]
    missing = [f"{owner}.{member}" for owner, member in dotted if member not in members().get(owner, {member})]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    links = LINK.findall(document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_index_of_the_architecture_needs_two_files_for_each_question() -> None:
    text = (ROOT / "docs/architecture.md").read_text().partition("## Index")[2]
    rows = [row.split("|") for row in text.splitlines() if row.startswith("| ") and "?" in row]
    assert len(rows) == 12
    assert all(1 <= len(CODE.findall(row[2])) <= 2 for row in rows)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see `a/b.py` `C.d`, `e` and `f()`.", [("a/b.py", None), ("a/b.py", "C.d"), ("a/b.py", "e"), ("a/b.py", "f")]),
        ("(`a/b.py`, `_c`)", [("a/b.py", None), ("a/b.py", "_c")]),
        ("`a/b.py` is read by `c`", [("a/b.py", None)]),
        ("`a/` and `POST /v1/rooms` and `c`", [("a/", None)]),
        ("```\n`a.py`\n```\n`b.py`", [("b.py", None)]),
    ],
)
def test_what_counts_as_a_claim(text: str, found: list[tuple[str, str | None]]) -> None:
    assert list(claims(text)) == found


def test_definitions_are_found_with_and_without_their_class() -> None:
    tree = ast.parse("A = 1\nclass B:\n    c: int\n    async def d(self): self.e = 1\n")
    assert {"A", "B", "c", "B.c", "d", "B.d", "e", "B.e"} <= {*defined(tree)}
