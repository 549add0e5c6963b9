"""The example file is the manual: it, the services' settings and the compose file say the same, in every direction."""

from __future__ import annotations

import enum
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices, SecretStr
from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[2]
SERVICES = {name: f"mouthpiece_{name}.settings" for name in ("agents", "avatar", "sender")}
SDK_KEYS = {"OPENAI_API_KEY", "ELEVENLABS_API_KEY"}
"""Read by the providers' own SDKs, under the names that their documentation gives."""
ANAM = {"ANAM_API_KEY", "ANAM_AVATAR_ID", "ANAM_API_URL"}
"""Read where Anam is the target alone; tests/unit/anam/test_settings.py holds their defaults."""
COMMANDS = {"MOUTHPIECE_ANAM_LINGER", "MOUTHPIECE_ROOM", "MOUTHPIECE_SERVICE", "MOUTHPIECE_API_KEY"}
"""Read by commands alone."""
GUARD = "development-keys-stay-on-this-machine"
OTHER_CONTAINERS = {
    GUARD: {"MOUTHPIECE_PUBLISH"},
    "livekit": {"LIVEKIT_CONFIG", "LIVEKIT_PORT"},
    "livekit-agent-2": {"LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"},
    "avaluma": set(),
}
"""What containers without settings of ours are given besides."""

ENTRY = re.compile(r"#?([A-Z][A-Z0-9_]*)=(.*)")
_INNER = r"\$\{(?:[^{}]|\$\{[^{}]*\})*\}"
INTERPOLATION = re.compile(rf"\$\{{([A-Z][A-Z0-9_]*)(?::-((?:[^${{}}]|{_INNER})*))?\}}")
OF_THE_NETWORK = {"LIVEKIT_URL"}
"""Containers and a browser on the host reach the same server under two addresses, so it has two defaults."""


@dataclass(frozen=True)
class Entry:
    name: str
    default: str
    commented_out: bool
    explained: bool


def example() -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    explained = False
    for line in (ROOT / ".env.local.example").read_text().splitlines():
        if match := ENTRY.fullmatch(line):
            assert match[1] not in entries, f"{match[1]} stands in the example twice"
            entries[match[1]] = Entry(match[1], match[2], line.startswith("#"), explained)
        else:
            explained = line.startswith("# ") and not line.startswith("# ----")
    return entries


def settings(service: str) -> type[BaseSettings]:
    found: type[BaseSettings] = importlib.import_module(SERVICES[service]).Settings
    return found


def variables(service: str) -> Iterator[tuple[str, Any]]:
    """Name of the environment variable and default of each setting."""
    for name, field in settings(service).model_fields.items():
        alias = field.validation_alias
        names = [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [alias]
        for variable in names:
            assert isinstance(variable, str), f"{name} of {service} does not say which variable it comes from"
            yield variable, None if field.is_required() else field.get_default(call_default_factory=True)


def written(default: Any) -> str:
    """A default as one would write it into the file."""
    if default is None:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, enum.Enum):
        return str(default.value)
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list | tuple | set | frozenset):
        return ",".join(written(item) for item in default)
    if isinstance(default, float):
        return f"{default:g}"
    return str(default)


def compose() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def interpolated() -> dict[str, set[str | None]]:
    """Each variable that the compose file reads, and the defaults that it gives it."""
    found: dict[str, set[str | None]] = {}

    def note(text: str) -> None:
        for match in INTERPOLATION.finditer(text):
            found.setdefault(match[1], set()).add(match[2])
            note(match[2] or "")

    lines = (ROOT / "docker-compose.yml").read_text().splitlines()
    for line in lines:
        code = line if not line.lstrip().startswith("#") else ""
        note(code)
    return found


def passed_on(service: str) -> Mapping[str, Any]:
    environment: Mapping[str, Any] = compose()["services"][service]["environment"]
    return environment


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_stands_in_the_example_with_its_default(service: str) -> None:
    entries = example()
    wrong = {
        variable: f"default {written(default)!r}, in the example: {entry.default if entry else 'missing'!r}"
        for variable, default in variables(service)
        if (entry := entries.get(variable)) is None or entry.default != written(default)
    }
    assert wrong == {}


def test_every_entry_of_the_example_is_read_by_something() -> None:
    read = {variable for service in SERVICES for variable, _ in variables(service)} | SDK_KEYS | ANAM | COMMANDS
    read |= interpolated().keys()
    read |= {name for service in OTHER_CONTAINERS for name, value in passed_on(service).items() if value is None}
    built = [service["build"]["args"] for service in compose()["services"].values() if "build" in service]
    read |= {name for arguments in built for name, value in arguments.items() if value is None}
    assert sorted(example().keys() - read) == []


def test_every_entry_is_explained_and_changes_nothing_until_it_is_uncommented() -> None:
    assert [entry.name for entry in example().values() if not entry.explained and not _follows_explained(entry)] == []
    assert [entry.name for entry in example().values() if not entry.commented_out] == []


def _follows_explained(entry: Entry) -> bool:
    """Entries that stand together share one explanation."""
    lines = (ROOT / ".env.local.example").read_text().splitlines()
    index = lines.index(f"#{entry.name}={entry.default}")
    while ENTRY.fullmatch(lines[index]):
        index -= 1
    return lines[index].startswith("# ")


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_of_a_service_can_be_given_to_its_container(service: str) -> None:
    names = {variable for variable, _ in variables(service)}
    assert sorted(names - passed_on(service).keys()) == []


@pytest.mark.parametrize("service", [*SERVICES, *OTHER_CONTAINERS])
def test_a_container_is_given_nothing_that_nobody_reads(service: str) -> None:
    known = {variable for name in SERVICES for variable, _ in variables(name)} if service == GUARD else set()
    if service in SERVICES:
        known = {variable for variable, _ in variables(service)} | SDK_KEYS | (ANAM if service == "sender" else set())
    else:
        known |= OTHER_CONTAINERS[service] | {name for name in passed_on(service) if name in example()}
    assert sorted(passed_on(service).keys() - known) == []


def test_every_variable_of_the_compose_file_stands_in_the_example() -> None:
    named = interpolated().keys() | {
        name for service in compose()["services"] for name, value in passed_on(service).items() if value is None
    }
    assert sorted(named - example().keys()) == []


def test_the_compose_file_gives_a_variable_one_default() -> None:
    assert {name: defaults for name, defaults in interpolated().items() if len(defaults) > 1} == {
        name: interpolated()[name] for name in OF_THE_NETWORK
    }


def test_defaults_of_variables_that_compose_alone_reads_stand_in_the_example() -> None:
    ours = {variable for service in SERVICES for variable, _ in variables(service)}
    entries = example()
    wrong = {
        name: (default, entries[name].default)
        for name, defaults in interpolated().items()
        for default in defaults
        if name not in ours and entries[name].default != (default or "")
    }
    assert wrong == {}


def test_interpolations_are_found_nested_ones_too(tmp_path: Path) -> None:
    found = [(match[1], match[2]) for match in INTERPOLATION.finditer("${A:-${E:-ws://h:${B:-1}}} ${C} ${D:-}")]
    assert found == [("A", "${E:-ws://h:${B:-1}}"), ("C", None), ("D", "")]
