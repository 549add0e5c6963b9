"""Development keys stay on this machine: the first container refuses to publish them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mouthpiece_sender.demo import compose_guard
from mouthpiece_sender.demo.livekit_server import DEV_SECRET

DEVELOPMENT = {"LIVEKIT_API_SECRET": DEV_SECRET, "MOUTHPIECE_API_KEYS": compose_guard.DEV_API_KEY}
OWN = {"LIVEKIT_API_SECRET": "s" * 32, "MOUTHPIECE_API_KEYS": "k"}


@pytest.mark.parametrize("publish", ["", "127.0.0.1", "127.0.0.2", "[::1]", "localhost"])
def test_development_keys_are_fine_on_this_machine_and_named(publish: str) -> None:
    verdict = compose_guard.judge({**DEVELOPMENT, "MOUTHPIECE_PUBLISH": publish})
    assert verdict.admitted
    assert "LIVEKIT_API_SECRET and MOUTHPIECE_API_KEYS must change" in "\n".join(verdict.lines)


@pytest.mark.parametrize("publish", ["0.0.0.0", "192.0.2.7", "[::]", "example.org"])
@pytest.mark.parametrize("name", list(DEVELOPMENT))
def test_each_development_key_is_refused_beyond_this_machine(publish: str, name: str) -> None:
    verdict = compose_guard.judge({**OWN, name: DEVELOPMENT[name], "MOUTHPIECE_PUBLISH": publish})
    assert not verdict.admitted
    assert f"Set {name} first" in verdict.lines[0]


@pytest.mark.parametrize(
    "keys",
    [
        f"{compose_guard.DEV_API_KEY},mine",
        f"mine , {compose_guard.DEV_API_KEY}",
        f"mine,{compose_guard.DEV_API_KEY}:demo",
    ],
)
def test_a_development_key_among_others_is_refused_beyond_this_machine_too(keys: str) -> None:
    published = compose_guard.judge({**OWN, "MOUTHPIECE_API_KEYS": keys, "MOUTHPIECE_PUBLISH": "0.0.0.0"})
    assert not published.admitted
    assert "Set MOUTHPIECE_API_KEYS first" in published.lines[0]
    here = compose_guard.judge({**OWN, "MOUTHPIECE_API_KEYS": keys})
    assert here.admitted
    assert compose_guard.DEV_API_KEY in "\n".join(here.lines)


def test_a_key_that_only_looks_like_the_development_key_is_your_own() -> None:
    keys = f"{compose_guard.DEV_API_KEY}-not,mine:{compose_guard.DEV_API_KEY}"
    verdict = compose_guard.judge({**OWN, "MOUTHPIECE_API_KEYS": keys, "MOUTHPIECE_PUBLISH": "0.0.0.0"})
    assert verdict.admitted


def test_own_keys_are_published_anywhere_and_never_printed() -> None:
    verdict = compose_guard.judge({**OWN, "MOUTHPIECE_PUBLISH": "0.0.0.0", "MOUTHPIECE_SENDER_PORT": "9000"})
    assert verdict.admitted
    assert verdict.lines == ("Mouthpiece: http://0.0.0.0:9000",)


def test_the_compose_file_carries_the_development_keys_that_the_guard_knows() -> None:
    compose = yaml.safe_load((Path(__file__).parents[3] / "docker-compose.yml").read_text())
    environment = compose["services"]["development-keys-stay-on-this-machine"]["environment"]
    assert environment["LIVEKIT_API_SECRET"] == f"${{LIVEKIT_API_SECRET:-{DEV_SECRET}}}"
    assert environment["MOUTHPIECE_API_KEYS"] == f"${{MOUTHPIECE_API_KEYS:-{compose_guard.DEV_API_KEY}}}"
