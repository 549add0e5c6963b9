"""Tricks that lead a request to an address that is not public, each refused before anything is connected to."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

import httpx
import pytest

from mouthpiece.errors import AudioTooLarge, MouthpieceError, UrlRefused, UrlUnavailable
from mouthpiece.net_guard import AllowedHost, GuardedTransport, check_url, download, guarded_client
from mouthpiece.net_guard.addresses import is_public

PUBLIC = "93.184.215.14"
BY_TEXT = [
    "file:///etc/passwd",
    "ftp://example.com/a.wav",
    "gopher://example.com/",
    "data:audio/wav;base64,UklGRg==",
    "ws://example.com/",
    "//example.com/a.wav",
    "example.com/a.wav",
    "",
    "http:///a.wav",
    "http://",
    "http://./",
    "http://a..example.com/",
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://169.254.169.254/latest/meta-data/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00:ec2::254]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://sender:8090/",
    "http://user@example.com/",
    "http://user:password@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1\\@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://example.com#@127.0.0.1:80\\",
    "http://exa mple.com/",
    "http://example.com/\r\nHost: 127.0.0.1",
    "http://example.com/\t",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://example.com:0/",
    "http://example.com:99999/",
    "http://example.com:80a/",
    "http://%31%32%37.0.0.1/",
    "http://" + "a" * 64 + ".example.com/",
    "http://example.com/" + "a" * 2000,
]
BY_NAME = [
    ["127.0.0.1"],
    ["10.1.2.3"],
    ["169.254.169.254"],
    ["0.0.0.0"],
    [PUBLIC, "127.0.0.1"],
    ["127.0.0.1", PUBLIC],
    ["::1"],
    ["::ffff:10.0.0.1"],
    ["fe80::1%eth0"],
    ["fc00::1"],
    ["64:ff9b::a00:1"],
    ["2002:a00:1::1"],
    ["240.0.0.1"],
    ["no address"],
]


class Arriving(httpx.AsyncByteStream):
    """A body without an announced length."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 3):
            yield self._body[start : start + 3]


class Web:
    """Names with their addresses, one answer a question, the last one kept; and what was connected to."""

    def __init__(self, answers: Mapping[str, httpx.Response] | None = None, **names: Sequence[Sequence[str]]) -> None:
        self._names = {name.replace("_", "."): list(given) for name, given in names.items()}
        self._answers = answers or {}
        self.asked: list[httpx.Request] = []

    def transport(self, *allowed: AllowedHost) -> GuardedTransport:
        return GuardedTransport(allowed, resolve=self._resolve, inner=httpx.MockTransport(self._answer))

    def client(self, *allowed: AllowedHost) -> httpx.AsyncClient:
        return guarded_client(timeout=httpx.Timeout(5), transport=self.transport(*allowed))

    @property
    def connected_to(self) -> list[str]:
        return [request.url.host for request in self.asked]

    async def _resolve(self, host: str, port: int) -> Sequence[str]:
        given = self._names.get(host)
        if given is None:
            raise OSError
        return given.pop(0) if len(given) > 1 else given[0]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answers.get(f"{request.headers['Host']}{request.url.path}", httpx.Response(200, content=b"sound"))


async def read(client: httpx.AsyncClient) -> bytes:
    async with download(client, "http://good.example/a.wav", max_bytes=10, seconds=5) as found:
        return b"".join([block async for block in found.blocks])


@pytest.mark.parametrize("url", BY_TEXT)
def test_a_url_is_refused_by_its_text(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_url(url)


@pytest.mark.parametrize("addresses", BY_NAME)
async def test_a_name_with_an_address_that_is_not_public_is_connected_to_nowhere(addresses: list[str]) -> None:
    web = Web(evil_example=[addresses])
    async with web.client() as client:
        with pytest.raises(UrlRefused):
            await client.post("https://evil.example/hook")
    assert web.connected_to == []


async def test_the_connection_goes_to_the_address_that_was_checked_whatever_the_name_says_next() -> None:
    web = Web(evil_example=[[PUBLIC], ["127.0.0.1"]])
    async with web.client() as client:
        await client.get("https://evil.example/a.wav")
        assert web.connected_to == [PUBLIC]
        assert web.asked[0].headers["Host"] == "evil.example"
        assert web.asked[0].extensions["sni_hostname"] == "evil.example"
        with pytest.raises(UrlRefused):
            await client.get("https://evil.example/a.wav")
    assert web.connected_to == [PUBLIC]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://inside.example/",
        "//inside.example/",
        "file:///etc/passwd",
        "http://user:password@good.example/",
        "http://localhost/",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_checked_as_the_first_url_was(location: str, status: int) -> None:
    away = httpx.Response(status, headers={"Location": location})
    web = Web({"good.example/a.wav": away}, good_example=[[PUBLIC]], inside_example=[["10.0.0.1"]])
    async with web.client() as client:
        with pytest.raises((MouthpieceError, httpx.HTTPError, httpx.InvalidURL)):
            await client.get("http://good.example/a.wav")
    assert web.connected_to == [PUBLIC]


@pytest.mark.parametrize("trick", BY_TEXT)
async def test_a_redirect_by_any_of_the_tricks_leads_to_no_other_address(trick: str) -> None:
    away = httpx.Response(308, headers=[(b"Location", trick.encode())])
    web = Web({"good.example/a.wav": away}, good_example=[[PUBLIC]], example_com=[["10.0.0.1"]])
    async with web.client() as client:
        with contextlib.suppress(MouthpieceError, httpx.HTTPError, httpx.InvalidURL):
            await client.post("http://good.example/a.wav")  # a path of the same host may be followed
    assert set(web.connected_to) == {PUBLIC}


@pytest.mark.parametrize("addresses", BY_NAME)
async def test_a_name_that_is_public_at_first_and_no_longer_on_a_redirect_is_refused(addresses: list[str]) -> None:
    away = httpx.Response(307, headers={"Location": "https://evil.example/b"})
    web = Web({"evil.example/a": away}, evil_example=[[PUBLIC], addresses])
    async with web.client() as client:
        with pytest.raises(UrlRefused):
            await client.post("https://evil.example/a")
    assert web.connected_to == [PUBLIC]


async def test_a_redirect_to_the_same_name_asks_for_its_address_again() -> None:
    away = httpx.Response(307, headers={"Location": "/b.wav"})
    web = Web({"evil.example/a.wav": away}, evil_example=[[PUBLIC], ["127.0.0.1"]])
    async with web.client() as client:
        with pytest.raises(UrlRefused):
            await client.get("http://evil.example/a.wav")
    assert web.connected_to == [PUBLIC]


async def test_redirects_have_a_bound() -> None:
    away = httpx.Response(307, headers={"Location": "/a.wav"})
    web = Web({"good.example/a.wav": away}, good_example=[[PUBLIC]])
    async with web.client() as client:
        with pytest.raises(UrlUnavailable):
            await read(client)
    assert len(web.asked) == 4


async def test_a_host_of_the_operators_own_may_have_any_address_under_its_name_and_port_alone() -> None:
    allowed = AllowedHost("hooks.internal", 8080)
    web = Web(hooks_internal=[["10.0.0.7"]], other_internal=[["10.0.0.7"]])
    async with web.client(allowed) as client:
        await client.get("http://hooks.internal:8080/a.wav")
        for url in ("http://hooks.internal/a.wav", "http://other.internal:8080/", "http://10.0.0.7:8080/"):
            with pytest.raises(UrlRefused):
                await client.get(url)
        with pytest.raises(UrlRefused):
            check_url("ftp://hooks.internal:8080/", [allowed])
    assert web.connected_to == ["10.0.0.7"]
    assert check_url("http://[fd00::7]/", [AllowedHost("fd00::7")]).allowed
    assert check_url("http://SENDER:1/", [AllowedHost("sender")]).allowed


async def test_a_public_url_is_asked_and_the_next_address_where_the_first_takes_no_connection() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.url.host == PUBLIC:
            raise httpx.ConnectError("refused")
        return httpx.Response(200)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]

    transport = GuardedTransport(resolve=resolve, inner=httpx.MockTransport(answer))
    async with guarded_client(timeout=httpx.Timeout(5), transport=transport) as client:
        assert (await client.get("http://good.example/")).status_code == 200
    assert asked == [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, headers={"Content-Length": "11"}), AudioTooLarge),
        (httpx.Response(200, stream=Arriving(b"x" * 11)), AudioTooLarge),
        (httpx.Response(404), UrlUnavailable),
        (httpx.Response(204), UrlUnavailable),
        (httpx.Response(200, headers={"Content-Encoding": "gzip"}), UrlUnavailable),
    ],
)
async def test_a_body_has_its_limits(answer: httpx.Response, error: type[Exception]) -> None:
    web = Web({"good.example/a.wav": answer}, good_example=[[PUBLIC]])
    async with web.client() as client:
        with pytest.raises(error):
            await read(client)


async def test_a_body_comes_with_its_type_and_name() -> None:
    answer = httpx.Response(200, stream=Arriving(b"RIFF"), headers={"Content-Type": "audio/wav"})
    web = Web({"good.example/a%20b.wav": answer, "good.example/a b.wav": answer}, good_example=[[PUBLIC]])
    async with (
        web.client() as client,
        download(client, "http://good.example/a%20b.wav?key=1", max_bytes=10, seconds=5) as found,
    ):
        assert (found.content_type, found.name) == ("audio/wav", "a b.wav")
        assert b"".join([block async for block in found.blocks]) == b"RIFF"


async def test_a_name_that_has_no_address_is_not_there() -> None:
    async with Web().client() as client:
        with pytest.raises(UrlUnavailable):
            await client.get("http://nowhere.example/")


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"])
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)
