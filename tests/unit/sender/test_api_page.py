"""What the page may do in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from mouthpiece_sender.api.page import find_page, livekit_sources, security_policy


@pytest.mark.parametrize(
    ("url", "sources"),
    [
        ("ws://127.0.0.1:7880", ["ws://127.0.0.1:7880", "http://127.0.0.1:7880"]),
        ("wss://live.example.com", ["wss://live.example.com", "https://live.example.com"]),
        (
            "wss://mine.livekit.cloud",
            [
                "wss://mine.livekit.cloud",
                "https://mine.livekit.cloud",
                "wss://*.livekit.cloud",
                "https://*.livekit.cloud",
            ],
        ),
    ],
)
def test_it_may_connect_to_livekit_over_websocket_and_http(url: str, sources: list[str]) -> None:
    assert livekit_sources(url) == sources


def test_its_policy_lets_nothing_else_in() -> None:
    policy = security_policy("wss://live.example.com")
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "connect-src 'self' wss://live.example.com https://live.example.com;" in policy


def test_a_folder_without_an_index_is_no_page(tmp_path: Path) -> None:
    assert find_page(tmp_path) is None
    (tmp_path / "index.html").touch()
    assert find_page(tmp_path) == tmp_path
