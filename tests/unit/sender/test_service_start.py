"""The instance name that a service stores in its data folder, and the link that it logs at its start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mouthpiece_sender.demo.compose_guard import DEV_API_KEY
from mouthpiece_sender.key_files import DEVELOPMENT_API_KEY
from mouthpiece_sender.service import key_link, stored_instance


def test_a_sender_keeps_its_name(tmp_path: Path) -> None:
    name = stored_instance(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{8}", name)
    assert stored_instance(tmp_path) == name


def test_an_empty_name_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("\n")
    assert stored_instance(tmp_path)


def test_the_development_key_is_the_one_that_compose_has() -> None:
    assert DEVELOPMENT_API_KEY == DEV_API_KEY


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "127.0.0.1"),
        ("::1", "[::1]"),
        ("10.0.0.7", "10.0.0.7"),
    ],
)
def test_the_development_key_is_logged_in_a_link_that_a_browser_can_open(host: str, address: str) -> None:
    link = key_link(["mine", "mouthpiece-development-key"], host, 8090)
    assert link == f"http://{address}:8090/#key=mouthpiece-development-key"


@pytest.mark.parametrize("keys", [[], ["mine"], ["mine:mouthpiece-development-key"]])
def test_no_other_key_is_logged(keys: list[str]) -> None:
    assert key_link(keys, "127.0.0.1", 8090) == ""
