"""The product's own Python files, and what each imports; for the checks that read the code instead of running it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final[Mapping[str, Path]] = {
    "mouthpiece": ROOT / "src/mouthpiece",
    "mouthpiece_agents": ROOT / "agents/mouthpiece_agents",
    "mouthpiece_avatar": ROOT / "avatar/mouthpiece_avatar",
    "mouthpiece_sender": ROOT / "sender/mouthpiece_sender",
}


@dataclass(frozen=True, slots=True)
class Module:
    name: str
    """Dotted; a package has the name of its folder."""
    path: Path

    @property
    def relative_path(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def package(self) -> str:
        """The distribution's top-level package that holds it."""
        return self.name.partition(".")[0]

    @property
    def room(self) -> str:
        """The folder or file directly under the package; empty for the package itself."""
        return self.name.split(".")[1] if "." in self.name else ""


@cache
def modules(package: str) -> tuple[Module, ...]:
    root = PACKAGES[package]
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        found.append(Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return tuple(found)


@cache
def all_modules() -> Mapping[str, Module]:
    return {module.name: module for package in PACKAGES for module in modules(package)}


@cache
def imported_names(source: str) -> frozenset[str]:
    """Dotted names that a source imports: at its top, under TYPE_CHECKING or inside a function.

    ``from a import b`` gives ``a`` and ``a.b``: the source alone does not show whether ``b`` is a module.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
    return frozenset(found)


@cache
def own_imports(module: Module) -> frozenset[str]:
    """Modules of the product that a module names in an import.

    ``from package import module`` counts as an import of the module, not of the package.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in all_modules() else node.module)
    return frozenset(found & all_modules().keys() - {module.name})


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")
