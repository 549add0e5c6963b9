"""What docker-compose.yml and its TLS overlay promise of each container, read without an engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mouthpiece_sender.settings import Settings

ROOT = Path(__file__).parents[3]
FILE, TLS = ROOT / "docker-compose.yml", ROOT / "deploy" / "tls" / "compose.yml"
DRAIN = float(Settings.model_fields["drain"].default)
"""Seconds for which what plays may go on at a stop, by default."""


class Loader(yaml.SafeLoader):
    """Takes Compose's own tags, such as ``!override``, for the values that they stand before."""


def _untagged(loader: Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


Loader.add_multi_constructor("!", _untagged)


def services(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.load(file.read_text(), Loader)["services"]
    return found


def default_of(value: str) -> str:
    """The default of ``${NAME:-default}``, which may be one of its kind itself."""
    while match := re.fullmatch(r"\$\{\w+:-(.*)\}", value):
        value = match[1]
    return value


RUNNING = {name: service for name, service in services(FILE).items() if "restart" in service} | {
    "caddy": services(TLS)["caddy"]
}


@pytest.mark.parametrize("name", RUNNING)
def test_what_dies_is_started_again_and_its_log_and_processes_have_a_limit(name: str) -> None:
    service = RUNNING[name]
    assert service["restart"] == ("no" if name == "development-keys-stay-on-this-machine" else "unless-stopped")
    assert service["logging"]["options"]["max-size"]
    assert service["logging"]["options"]["max-file"]
    assert service["pids_limit"] > 0


@pytest.mark.parametrize("name", [name for name in RUNNING if name != "avaluma"])
def test_memory_has_a_limit_where_it_is_known_what_is_needed(name: str) -> None:
    assert RUNNING[name]["mem_limit"]


@pytest.mark.parametrize("name", ["sender", "agents"])
def test_who_speaks_has_longer_to_stop_than_what_plays_may_take(name: str) -> None:
    assert float(default_of(services(FILE)[name]["stop_grace_period"]).removesuffix("s")) >= DRAIN + 30


def test_the_sender_stops_first_then_workers_then_avatar_and_livekit() -> None:
    """Compose stops what depends on others before them."""
    needs = {name: set(service.get("depends_on", ())) for name, service in services(FILE).items()}
    assert {"agents", "avatar", "livekit"} <= needs["sender"]
    assert {"avatar", "livekit"} <= needs["agents"] & needs["livekit-agent-2"]
    assert "livekit" in needs["avatar"]


@pytest.mark.parametrize("folder", ["sender", "agents", "avatar", "deploy/livekit-server"])
def test_each_base_image_is_a_build_argument_so_that_it_can_have_a_digest(folder: str) -> None:
    dockerfile = (ROOT / folder / "Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    arguments = set(re.findall(r"^ARG (\w+)=", dockerfile, re.MULTILINE))
    assert bases
    assert {base.strip("${}") for base in bases} <= arguments
    built = next(
        service
        for service in services(FILE).values()
        if str(service.get("build", {}).get("dockerfile", "")).startswith(f"{folder}/")
        or service.get("build", {}).get("context") == folder
    )
    assert {base.strip("${}") for base in bases} <= set(built["build"]["args"])


def test_avalumas_server_cannot_use_the_development_secret_of_the_local_avatar() -> None:
    """Nobody but the worker has it: whoever has it may start avatars."""
    secret = "MOUTHPIECE_AVATAR_SECRET"
    holders = {
        name for name, service in services(FILE).items() if any(secret in key for key in service.get("environment", {}))
    }
    assert holders == {"avatar", "agents", "livekit-agent-2"}


def test_through_tls_no_port_but_caddys_and_medias_is_published() -> None:
    overlay = services(TLS)
    assert overlay["caddy"]["ports"] == ["80:80", "443:443", "443:443/udp"]
    assert not overlay["sender"]["ports"]
    assert [port for port in overlay["livekit"]["ports"] if "LIVEKIT_PORT" in port] == []
    caddyfile = TLS.with_name("Caddyfile").read_text()
    assert set(re.findall(r"reverse_proxy (\w+):", caddyfile)) == {"sender", "livekit", "avaluma"}
    assert set(re.findall(r"reverse_proxy (\w+):", caddyfile)) <= set(services(FILE))
