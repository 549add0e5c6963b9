"""Each distribution that the code imports stands in ``pyproject.toml`` where the importing part has it, and the other
way round: what is declared is used."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from tests.product_source import PACKAGES, ROOT, Module, all_modules, modules, within

DISTRIBUTIONS: Final[Mapping[str, str]] = {
    "PIL": "pillow",
    "Xlib": "python-xlib",
    "cv2": "opencv-python",
    "dotenv": "python-dotenv",
    "hibari": "hibari-tts",
    "jwt": "pyjwt",
    "livekit.agents": "livekit-agents",
    "livekit.api": "livekit-api",
    "livekit.plugins.elevenlabs": "livekit-plugins-elevenlabs",
    "livekit.plugins.openai": "livekit-plugins-openai",
    "livekit.protocol": "livekit-protocol",
    "livekit.rtc": "livekit",
    "markdown_it": "markdown-it-py",
    "opentelemetry": "opentelemetry-api",
    "opentelemetry.exporter": "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry.proto": "opentelemetry-proto",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "xdist": "pytest-xdist",
    "yaml": "pyyaml",
}
"""Where the distribution's name is not the module's with hyphens; the longest prefix of a dotted name counts."""

EXTRAS_OF: Final[Mapping[str, Collection[str]]] = {
    "mouthpiece": (),
    "mouthpiece.client": ("client",),
    "mouthpiece.net_guard": ("sender",),
    "mouthpiece.audio.av_reader": ("sender",),  # PyAV, where it is installed
    "mouthpiece.audio.loudness": ("sender",),
    "mouthpiece.tts.providers.elevenlabs": ("elevenlabs",),
    "mouthpiece.tts.providers.livekit": ("agents",),
    "mouthpiece.tts.providers.offline": ("offline",),
    "mouthpiece.tts.providers.openai": ("openai",),
    "mouthpiece_agents": ("agents",),
    "mouthpiece_avatar": ("avatar",),
    "mouthpiece_avatar.film": ("avatar", "film"),
    "mouthpiece_avatar.runtimes.bithuman": ("avatar", "bithuman"),
    "mouthpiece_avatar.testing.pytest_plugin": ("avatar", "testing"),
    "mouthpiece_avatar.testing.receiver": ("avatar", "testing"),
    "mouthpiece_sender": ("sender",),
    "mouthpiece_sender.anam": ("sender", "anam"),
    "mouthpiece_sender.anam.window": ("sender", "anam", "view"),
    "mouthpiece_sender.tracing": ("sender", "traces"),
}
"""The extras that are installed where a module is imported; the longest prefix of its name counts."""
IN_EACH_OF: Final[Mapping[str, Collection[str]]] = {
    "mouthpiece.process": ("agents", "avatar", "sender"),
    "mouthpiece.receiving": ("avatar",),
    "mouthpiece.room_leave": ("sender",),
}
"""Core modules that stand on what every service of these has installed."""

PLUGINS_AND_STAND_INS: Final = {
    "avaluma_livekit_plugin",
    "generated",
    "no_such_distribution",
    "livekit.plugins.plain",
    "vision_agents",
}
"""Imported in tests, and made by them; or by a user, who has it installed."""
SUPPORT: Final = {"bench", "examples", "tests", "external_audio_sender", "agent_2", "training"}
TOOLS: Final = {
    "check-jsonschema",
    "slipcover",
    "mypy",
    "openapi-python-client",
    "pre-commit",
    "pytest-timeout",
    "ruff",
    "types-psutil",
    "types-pyyaml",
}
"""Of the development dependencies, what no code imports."""
BY_NAME: Final = {"files", "find_spec", "import_module", "sdk_module"}
"""Functions whose first argument, a literal, names a module to load."""


@cache
def project() -> Mapping[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def required(requirements: Collection[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


def core() -> set[str]:
    return required(project()["project"]["dependencies"])


def extra(name: str) -> set[str]:
    return required(project()["project"]["optional-dependencies"][name])


def extras() -> Mapping[str, Collection[str]]:
    found: Mapping[str, Collection[str]] = project()["project"]["optional-dependencies"]
    return found


def loaded(tree: ast.AST) -> Iterator[str]:
    """Dotted names that a source imports by statement, or by a call with a literal name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            namespace = node.module in {"livekit", "livekit.plugins"}
            yield from (f"{node.module}.{alias.name}" for alias in node.names) if namespace else [node.module]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if function in BY_NAME and isinstance(node.args[0].value, str):
                yield node.args[0].value


def distribution(name: str) -> str:
    prefixes = [known for known in DISTRIBUTIONS if within(name, known)]
    if prefixes:
        return DISTRIBUTIONS[max(prefixes, key=len)]
    return name.partition(".")[0].lower().replace("_", "-")


def foreign(path: Path) -> Iterator[str]:
    """Distributions that a file imports; not the standard library, ours, or what tests stand in for."""
    for name in loaded(ast.parse(path.read_text())):
        top = name.partition(".")[0]
        ours = top in PACKAGES or top in SUPPORT or any(within(name, stand_in) for stand_in in PLUGINS_AND_STAND_INS)
        if not ours and top not in sys.stdlib_module_names:
            yield distribution(name)


def services_of(module: Module) -> Collection[str]:
    return next((services for place, services in IN_EACH_OF.items() if within(module.name, place)), ())


def extras_of(module: Module) -> Collection[str]:
    return EXTRAS_OF[max((known for known in EXTRAS_OF if within(module.name, known)), key=len)]


def declared(module: Module) -> set[str]:
    """What is installed wherever the module may be imported."""
    if services := services_of(module):
        return core() | set.intersection(*(extra(service) for service in services))
    return core().union(*(extra(name) for name in extras_of(module)))


def test_every_import_of_the_product_is_declared_for_its_part() -> None:
    undeclared = {
        f"{module.name} imports {name}"
        for module in all_modules().values()
        for name in {*foreign(module.path)} - declared(module)
    }
    assert sorted(undeclared) == []


def test_the_core_depends_on_what_the_core_itself_imports() -> None:
    used = {name for module in modules("mouthpiece") for name in foreign(module.path)}
    assert sorted(core() - used) == []


@pytest.mark.parametrize("name", extras())
def test_an_extra_holds_nothing_that_its_part_does_not_import(name: str) -> None:
    parts = [module for module in all_modules().values() if name in {*extras_of(module), *services_of(module)}]
    assert sorted(extra(name) - {found for module in parts for found in foreign(module.path)}) == []


def test_every_import_of_tests_and_benches_is_declared() -> None:
    installed = core().union(*(extra(name) for name in extras()), required(project()["dependency-groups"]["dev"]))
    undeclared = {
        f"{path.relative_to(ROOT)} imports {name}" for path in support() for name in {*foreign(path)} - installed
    }
    assert sorted(undeclared) == []


def test_every_import_of_the_training_is_declared_for_it() -> None:
    installed = core() | extra("offline") | required(project()["dependency-groups"]["training"])
    undeclared = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "training").rglob("*.py"))
        for name in {*foreign(path)} - installed
    }
    assert sorted(undeclared) == []


def test_development_needs_what_is_declared_for_it() -> None:
    used = {name for path in support() for name in foreign(path)}
    assert sorted(required(project()["dependency-groups"]["dev"]) - used - TOOLS) == []


def support() -> Iterator[Path]:
    for folder in ("tests", "bench", "examples", "assets"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_every_place_in_the_tables_exists() -> None:
    to_come = {"mouthpiece.receiving"}
    assert sorted((EXTRAS_OF.keys() | IN_EACH_OF.keys()) - all_modules().keys() - to_come) == []
