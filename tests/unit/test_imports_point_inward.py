"""Imports point inward: ``mouthpiece_*`` → ``mouthpiece``, never sideways; rooms of the sender import as the table
says; the core knows no framework; nothing imports in a circle."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.product_source import PACKAGES, ROOT, all_modules, imported_names, modules, own_imports, within

FRAMEWORKS: Final = ("livekit.agents", "livekit.plugins", "fastapi", "starlette", "uvicorn", "typer", "rich")
FORBIDDEN: Final[Mapping[str, Collection[str]]] = {
    "mouthpiece": FRAMEWORKS,
    # Their images install no livekit-agents.
    "mouthpiece_sender": ("livekit.agents", "livekit.plugins"),
    "mouthpiece_avatar": ("livekit.agents", "livekit.plugins"),
    "mouthpiece_agents": ("fastapi", "starlette"),
}
INPUT_AND_OUTPUT: Final = ("socket", "ssl", "subprocess", "multiprocessing", "sqlite3", "aiohttp", "httpx", "livekit")
"""Modules that reach out of the process. More can (``asyncio`` opens sockets too, ``pathlib`` files)."""
PERFORMING: Final = (
    "mouthpiece.audio.decoder",
    "mouthpiece.audio.decoder_process",
    "mouthpiece.audio.decoders",
    "mouthpiece.client",
    "mouthpiece.net_guard",
    "mouthpiece.process",
    "mouthpiece.receiving",
    "mouthpiece.room_leave",
    "mouthpiece.tts.providers",
)
"""The rest of the core decides, and leaves it to others to perform."""
RTC: Final = (
    "mouthpiece.receiving",
    "mouthpiece.room_leave",
    "mouthpiece_sender.livekit",
    "mouthpiece_sender.demo.viewer",
)
"""All of core and sender that may join a room. The avatar and the worker are LiveKit programs as a whole."""

SENDER: Final[Mapping[str, Collection[str]]] = {
    # What lies lowest comes first; a room imports rooms above it alone.
    "authority": (),
    "key_files": (),
    "logs": (),
    "segment_json": (),
    "sounds": (),
    "storage": (),
    "tracing": (),
    "events": ("segment_json", "storage"),
    "playout": ("sounds",),
    "speech": ("sounds",),
    "stored_sounds": ("sounds", "speech", "storage"),
    "target": ("sounds", "storage"),
    "reported": ("target",),
    "takeover": ("sounds", "storage", "target"),
    "places": ("target",),
    "gateway": ("places", "playout", "reported", "sounds", "storage", "takeover", "target"),
    "livekit": ("playout", "sounds", "target"),
    "anam": ("playout", "sounds", "target"),
    "webhooks": ("events", "storage"),
    "settings": (
        "anam",
        "authority",
        "key_files",
        "places",
        "storage",
        "webhooks",
    ),  # Anam's settings are part of the service's
    "api": (
        "authority",
        "events",
        "gateway",
        "livekit",  # tokens and the list of rooms
        "segment_json",
        "settings",
        "sounds",
        "speech",
        "storage",  # bodies are written into the spool while they arrive
        "stored_sounds",
        "target",
        "webhooks",
    ),
    "service": (
        "anam",
        "api",
        "events",
        "gateway",
        "key_files",
        "livekit",
        "settings",
        "speech",
        "storage",
        "stored_sounds",
        "target",
        "tracing",
        "webhooks",
    ),
    "speaker": ("anam", "gateway", "livekit", "sounds", "speech", "storage", "target"),
    "demo": ("livekit",),
    "cli": (
        "anam",
        "demo",
        "livekit",
        "logs",
        "playout",
        "segment_json",
        "service",
        "settings",
        "speaker",
        "speech",
        "storage",  # backups
    ),
    "__main__": ("cli",),
    "": ("speaker",),  # the package's own face
}
"""Which rooms (folders and files directly under ``mouthpiece_sender``) each room may import."""


def broken(imports: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{importer} imports {name}" for importer, name in sorted(set(imports))]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_imports_sideways_or_outward(package: str) -> None:
    strangers = PACKAGES.keys() - {package, "mouthpiece"}
    assert (
        broken(
            (module.name, name)
            for module in modules(package)
            for name in own_imports(module)
            if all_modules()[name].package in strangers
        )
        == []
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_keeps_away_from_the_frameworks_that_are_not_its_own(package: str) -> None:
    assert (
        broken(
            (module.name, name)
            for module in modules(package)
            for name in imported_names(module.path.read_text())
            if any(within(name, forbidden) for forbidden in FORBIDDEN[package])
        )
        == []
    )


def test_in_the_core_only_what_performs_reaches_out_of_the_process() -> None:
    assert (
        broken(
            (module.name, name)
            for module in modules("mouthpiece")
            if not any(within(module.name, place) for place in PERFORMING)
            for name in imported_names(module.path.read_text())
            if any(within(name, reaching) for reaching in INPUT_AND_OUTPUT)
        )
        == []
    )


@pytest.mark.parametrize("package", ["mouthpiece", "mouthpiece_sender"])
def test_rooms_are_joined_in_few_places(package: str) -> None:
    assert (
        broken(
            (module.name, name)
            for module in modules(package)
            if not any(within(module.name, place) for place in RTC)
            for name in imported_names(module.path.read_text())
            if within(name, "livekit.rtc")
        )
        == []
    )


def test_rooms_of_the_sender_import_what_the_table_permits() -> None:
    rooms = {module.room for module in modules("mouthpiece_sender")}
    assert sorted(rooms - SENDER.keys()) == [], "give each new room its line in SENDER"
    assert (
        broken(
            (module.name, name)
            for module in modules("mouthpiece_sender")
            for name in own_imports(module)
            if within(name, "mouthpiece_sender") and all_modules()[name].room not in {module.room, *SENDER[module.room]}
        )
        == []
    )


def test_the_table_of_the_sender_is_in_layers() -> None:
    seen: set[str] = set()
    for room, permitted in SENDER.items():
        assert sorted(set(permitted) - seen) == [], f"{room} may import what lies beside or above it"
        seen.add(room)


def test_two_kinds_of_targets_meet_in_few_places_and_the_api_in_one() -> None:
    assert {room for room, permitted in SENDER.items() if {"anam", "livekit"} <= {*permitted}} == {
        "cli",
        "service",
        "speaker",
    }
    assert [room for room, permitted in SENDER.items() if "api" in permitted] == ["service"]


def test_nothing_imports_in_a_circle() -> None:
    graph = {module.name: own_imports(module) for module in all_modules().values()}
    assert circles(graph) == []


def circles(graph: Mapping[str, Collection[str]]) -> list[str]:
    """Each way that leads back to where it began, one for each import that closes it."""
    found: list[str] = []
    done: set[str] = set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            found.append(" → ".join((*way[way.index(name) :], name)))
        elif name not in done:
            for following in sorted(graph[name]):
                follow(following, (*way, name))
            done.add(name)

    for name in sorted(graph):
        follow(name, ())
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_are_absolute(package: str) -> None:
    found = [
        module.relative_path
        for module in modules(package)
        for node in ast.walk(ast.parse(module.path.read_text()))
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
    assert set(imported_names(source)) == {"a.b", "c", "c.d", "e.g", "e.g.h"}


def test_a_circle_is_found_and_shown_once() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": ["b"], "d": ["a", "b"]}) == ["b → c → b"]
    assert circles({"a": ["b", "c"], "b": ["c"], "c": []}) == []


def test_every_module_is_found_under_its_dotted_name() -> None:
    assert all_modules()["mouthpiece.wire"].path == ROOT / "src/mouthpiece/wire.py"
    assert all_modules()["mouthpiece_sender.api"].path == Path(ROOT, "sender/mouthpiece_sender/api/__init__.py")
