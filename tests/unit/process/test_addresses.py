"""Addresses in the settings are refused in words before a connection fails in a way that nobody expects."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece.process.addresses import check_http_url, check_livekit_url
from mouthpiece_avatar.livekit_address import LiveKitAddress
from mouthpiece_sender.livekit.server_api import LiveKitAccess

SECRET = "a-secret-of-thirty-two-characters"


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:7880", "wss://house.livekit.cloud", "http://[::1]:7880", "wss://bücher.example"]
)
def test_livekits_addresses_are_taken(url: str) -> None:
    assert check_livekit_url(url + "/") == url


@pytest.mark.parametrize("check", [check_http_url, check_livekit_url, LiveKitAddress.parse])
@pytest.mark.parametrize(
    "host", ["…", "…:7880", "", ":7880", "a..b", "127.0.0.1:port", "127.0.0.1:99999", "[::1", "a" * 64]
)
def test_a_host_that_no_resolver_takes_is_refused_and_not_repeated(check: Callable[[str], object], host: str) -> None:
    with pytest.raises(ValueError, match=r"names no host") as caught:
        check(f"https://{host}")
    assert not host or host not in str(caught.value)


@pytest.mark.parametrize("url", ["livekit.cloud", "ftp://livekit.cloud", ""])
def test_another_scheme_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"must begin with ws:// or wss://"):
        check_livekit_url(url)
    with pytest.raises(ValueError, match=r"must begin with http:// or https://"):
        check_http_url(f"ws://{url}")


def test_what_is_wrong_with_the_access_to_livekit_is_said_by_its_setting() -> None:
    assert LiveKitAccess.checked("ws://127.0.0.1:7880", "key", SECRET).url == "ws://127.0.0.1:7880"
    with pytest.raises(ConfigurationError, match=r"^LIVEKIT_URL: names no host"):
        LiveKitAccess.checked("wss://…", "key", SECRET)
    with pytest.raises(ConfigurationError, match=r"^LIVEKIT_API_SECRET is the placeholder"):
        LiveKitAccess.checked("ws://127.0.0.1:7880", "key", "…")
