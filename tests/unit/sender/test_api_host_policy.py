"""Which hosts and origins are let in."""

from __future__ import annotations

import pytest

from mouthpiece_sender.api.host_policy import HostPolicy
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.authority import Authority

LOOPBACK = HostPolicy(on_loopback=True)
OPEN = HostPolicy(
    on_loopback=False,
    public_hosts=[Authority("speak.example.com"), Authority("other.example.com", 8443)],
    origins=["https://a.example"],
)


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("127.0.0.1:8090", Authority("127.0.0.1", 8090)),
        ("LOCALHOST", Authority("localhost", None)),
        ("localhost.:80", Authority("localhost", 80)),
        ("[::1]:8090", Authority("::1", 8090)),
        ("[::1]", Authority("::1", None)),
    ],
)
def test_hosts_are_read(text: str, authority: Authority) -> None:
    assert Authority.parse(text) == authority


@pytest.mark.parametrize(
    "text",
    [
        *("", ":80", "a b", "host/path", "user@host", "host:port", "[::1", "[x]", "a?b", "h:1:2", "*.example.com"),
        *("https://host", "host:65536", f"host:{'1' * 5000}"),
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"host|port|IPv6|brackets"):
        Authority.parse(text)


@pytest.mark.parametrize("host", ["127.0.0.1:8090", "localhost:1", "[::1]:8090", "127.9.9.9"])
def test_loopback_is_ours_at_any_port(host: str) -> None:
    LOOPBACK.check_host(host)
    OPEN.check_host(host)


@pytest.mark.parametrize("host", [None, "", "evil.example:8090", "127.0.0.1.evil.example", "localhost.evil.example"])
@pytest.mark.parametrize("policy", [LOOPBACK, OPEN])
def test_other_names_are_refused(policy: HostPolicy, host: str | None) -> None:
    with pytest.raises(ApiProblem, match=r"Host|name") as refused:
        policy.check_host(host)
    assert refused.value.slug == "host-refused"


def test_an_address_of_the_network_is_ours_only_where_we_listen_there() -> None:
    OPEN.check_host("192.168.1.5:8090")
    with pytest.raises(ApiProblem):
        LOOPBACK.check_host("192.168.1.5:8090")


def test_public_names_are_ours_with_the_port_that_is_given() -> None:
    OPEN.check_host("speak.example.com")
    OPEN.check_host("Speak.Example.com:9000")
    OPEN.check_host("other.example.com:8443")
    with pytest.raises(ApiProblem):
        OPEN.check_host("other.example.com:8444")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8090", "127.0.0.1:8090"),
        ("http://localhost", "localhost:80"),
        ("https://speak.example.com", "speak.example.com"),
        ("https://speak.example.com:443", "speak.example.com"),
        ("https://A.example", "127.0.0.1:8090"),
        (None, "127.0.0.1:8090"),
    ],
)
def test_our_own_pages_and_allowed_ones_may_call(origin: str | None, host: str) -> None:
    OPEN.check_origin(origin, OPEN.check_host(host))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "127.0.0.1:8090"),
        ("http://127.0.0.1:8091", "127.0.0.1:8090"),
        ("http://localhost:8090", "127.0.0.1:8090"),
        ("null", "127.0.0.1:8090"),
        ("", "127.0.0.1:8090"),
        ("https://b.example", "127.0.0.1:8090"),
        ("http://speak.example.com", "speak.example.com:443"),
        ("file://", "127.0.0.1:8090"),
    ],
)
def test_other_sites_may_not_call(origin: str, host: str) -> None:
    with pytest.raises(ApiProblem) as refused:
        OPEN.check_origin(origin, OPEN.check_host(host))
    assert refused.value.slug == "origin-refused"


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "behind_tls"),
    [
        ("http://speak.example.com", "speak.example.com", "https", False),
        ("https://speak.example.com", "speak.example.com", "http", False),
        ("https://127.0.0.1:8090", "127.0.0.1:8090", "http", True),
        ("http://127.0.0.1:8090", "127.0.0.1:8090", "https", True),
    ],
)
def test_an_origin_of_another_scheme_is_another_site(origin: str, host: str, scheme: str, behind_tls: bool) -> None:
    with pytest.raises(ApiProblem) as refused:
        OPEN.check_origin(origin, OPEN.check_host(host), scheme, behind_tls=behind_tls)
    assert refused.value.slug == "origin-refused"
    ours = origin.replace("https:", "http:") if scheme == "http" else origin.replace("http:", "https:")
    OPEN.check_origin(ours, OPEN.check_host(host), scheme, behind_tls=behind_tls)
