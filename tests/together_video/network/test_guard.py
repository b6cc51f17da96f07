"""Links that others wrote: to which addresses they may lead, at each hop, and by what name server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import anyio
import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.api.client import TogetherClient
from together_video.errors import ConfigurationError, LinkForbidden
from together_video.network import guard
from together_video.network.addresses import is_public, literal
from together_video.network.connections import Connections
from together_video.network.guard import AddressRefused, Guard
from together_video.network.trusted_hosts import TrustedHosts

PRIVATE = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "localhost", "LOCALHOST."),
    *("10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "255.255.255.255"),
    *("224.0.0.1", "198.18.0.1", "192.0.2.1", "[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[ff02::1]"),
    *("[::ffff:10.0.0.1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[fec0::1]"),
    *("metadata", "metadata.google.internal", "printer.local", "app.localhost", "db.home.arpa"),
    *("192.0.0.192", "168.63.129.16", "192.88.99.1", "[64:ff9b::c000:c0]", "[::ffff:0:7f00:1]", "[5f00::1]"),
    *(
        "0x00000000000a9.254.169.254",
        "0x000000000000000a9.0xfe.0xa9.0xfe",
        "1.2.3.4.5",
        "localhost.localdomain",
    ),
    *("kubernetes.default.svc", "169.254.169.0x1fe"),
    *("[3fff::1]", "[2001:db8::1]", "[100::1]", "[2001::1]"),
    *("[64:ff9b:1::1]", "[::127.0.0.1]", "[2001:0:7f00:1::]", "192.168.0.1."),
]


@pytest.mark.parametrize("host", PRIVATE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_private_addresses_are_refused_in_each_spelling(scheme: str, host: str) -> None:
    with pytest.raises(AddressRefused):
        Guard(TrustedHosts(), https_only=False).check(httpx.URL(f"{scheme}://{host}/cat.jpg"))


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "example.com", "[2606:4700::1111]", "[64:ff9b::808:808]", "a.b.c"]
)
def test_public_addresses_pass(host: str) -> None:
    Guard(TrustedHosts(), https_only=True).check(httpx.URL(f"https://{host}/cat.jpg"))


def test_media_links_are_https() -> None:
    with pytest.raises(AddressRefused, match="plain http"):
        Guard(TrustedHosts(), https_only=True).check(httpx.URL("http://example.com/cat.jpg"))
    Guard(TrustedHosts(), https_only=False).check(httpx.URL("http://example.com/cat.jpg"))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com:70000/",
        "https://example.com:0/",
        "http://127.0.0%2e1/",
        "ftp://example.com/",
        "x:1",
    ],
)
def test_what_is_no_web_address_is_said_to_be_none(url: str) -> None:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return
    with pytest.raises(httpx.UnsupportedProtocol):
        Guard(TrustedHosts(), https_only=False).check(parsed)


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_inside_ipv6(address: Any) -> None:
    for text in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert is_public(ip_address(text)) == is_public(address)


@given(st.text(max_size=40))
def test_any_text_is_a_literal_address_or_a_name(text: str) -> None:
    literal(text)


@given(st.integers(0, 2**32 - 1), st.sampled_from([str, hex, lambda n: f"0{n:o}"]))
def test_numbers_are_addresses_as_the_resolver_reads_them(number: int, write: Callable[[int], str]) -> None:
    written = write(number)
    assert literal(written) == ip_address(number) or len(written) > 12
    assert socket.inet_aton(written) == number.to_bytes(4, "big")


def test_trusted_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "TOGETHER_VIDEO_TRUSTED_HOSTS", "NAS.example.com, 10.1.2.3:9000 10.8.0.0/16,fd00::1 localhost"
    )
    trusted = TrustedHosts.from_env()
    for url in (
        "http://nas.example.com:1/",
        "https://nas.example.com./",
        "http://10.1.2.3:9000/",
        "https://10.8.4.4/",
    ):
        assert trusted.covers(httpx.URL(url)), url
    for url in ("http://[fd00::1]/", "http://127.0.0.1:5/", "http://[::1]:5/", "http://127.1/"):
        assert trusted.covers(httpx.URL(url)), url
    for url in (
        "http://example.com/",
        "http://10.1.2.3:9001/",
        "http://10.9.0.1/",
        "http://x.nas.example.com/",
    ):
        assert not trusted.covers(httpx.URL(url)), url


NO_HOSTS = [
    *("http://nas", "*.example.com", "8", "nas#x", "nas?x", "10.0.0.1/8", "a b:x"),
    *("10.0.0.0/99", "nas:70000", "u@nas", "[::1", "²/8"),
]


@pytest.mark.parametrize("entry", NO_HOSTS)
def test_an_entry_that_is_no_host_is_named(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOGETHER_VIDEO_TRUSTED_HOSTS", entry)
    with pytest.raises(ConfigurationError, match="TOGETHER_VIDEO_TRUSTED_HOSTS"):
        TrustedHosts.from_env()


def test_the_api_itself_is_trusted_on_its_own_port_alone() -> None:
    trusted = TrustedHosts().with_origin("http://10.0.0.5:8080")
    assert trusted.covers(httpx.URL("http://10.0.0.5:8080/v.mp4"))
    assert not trusted.covers(httpx.URL("http://10.0.0.5:9090/v.mp4"))
    assert TrustedHosts().with_origin("http://10.0.0.5").covers(httpx.URL("http://10.0.0.5:80/v.mp4"))


class Names:
    """A name server that gives these answers, one after the other; and what was connected to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.asked: list[str] = []
        self.called: list[str] = []
        left = list(answers)

        async def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
            self.asked.append(host)
            found = left.pop(0) if len(left) > 1 else left[0]
            if not found:
                raise socket.gaierror("no such name")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        async def connect(address: str, port: int, **options: Any) -> Any:
            self.called.append(address)
            raise httpcore.ConnectError("nobody is there")

        async def connect_to_proxy(_: Any, host: str, port: int, **options: Any) -> Any:
            return await connect(host, port)

        monkeypatch.setattr(anyio, "getaddrinfo", resolve)
        monkeypatch.setattr(guard, "connect", connect)
        monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_to_proxy)


async def call(url: str, trusted: TrustedHosts | None = None) -> None:
    looks = Guard(trusted or TrustedHosts(), https_only=False)
    async with Connections().client(limits=httpx.Limits(), guard=looks, follow_redirects=True) as client:
        await client.get(url)


@pytest.mark.anyio
async def test_a_name_that_stands_for_a_private_address_is_not_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names(monkeypatch, ["169.254.169.254"])
    with pytest.raises(AddressRefused, match="private"):
        await call("https://innocent.example.com/cat.jpg")
    assert names.called == []


@pytest.mark.anyio
async def test_the_address_that_was_looked_at_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that answers with a private address the second time is not asked a second time."""
    names = Names(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    with pytest.raises(httpx.ConnectError):
        await call("https://rebinding.example.com/cat.jpg")
    assert names.called == ["8.8.8.8"]
    assert len(names.asked) == 1


@pytest.mark.anyio
async def test_of_several_addresses_the_public_ones_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, ["10.0.0.1", "8.8.8.8", "127.0.0.1", "8.8.4.4"])
    with pytest.raises(httpx.ConnectError):
        await call("https://mixed.example.com/cat.jpg")
    assert names.called == ["8.8.8.8", "8.8.4.4"]


@pytest.mark.anyio
async def test_a_trusted_name_may_be_private(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, ["10.0.0.1"])
    with pytest.raises(httpx.ConnectError):
        await call("http://nas.example.com/cat.jpg", TrustedHosts(frozenset({("nas.example.com", None)})))
    assert names.called == ["10.0.0.1"]


@pytest.mark.anyio
async def test_a_proxy_is_not_asked_for_private_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the name is known here; where it is not, the proxy may know it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    names = Names(monkeypatch, ["10.0.0.1"])
    with pytest.raises(AddressRefused):
        await call("https://innocent.example.com/cat.jpg")
    assert names.called == []
    names = Names(monkeypatch, [])
    with pytest.raises(httpx.ConnectError):
        await call("https://unknown-here.example.com/cat.jpg")
    assert names.called == ["127.0.0.1"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "where", ["http://169.254.169.254/latest/meta-data", "https://localhost:1/", "//127.1/x"]
)
async def test_a_redirect_of_a_download_leads_to_no_private_address(
    where: str, wire: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOGETHER_VIDEO_TRUSTED_HOSTS")
    answer = wire.saying(wire.http(b"", "302 Found", location=where))
    async with wire.serve(answer) as server, TogetherClient("key", server.url) as client:
        with pytest.raises(LinkForbidden, match="TOGETHER_VIDEO_TRUSTED_HOSTS"):
            await client.download(f"{server.url}/v.mp4", tmp_path / "v.mp4", max_bytes=1000)
        assert len(server.heard) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anyio
async def test_a_machine_whose_name_server_gives_private_addresses_buys_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Links could not be followed: said before anything is paid, with the network to name."""
    names = Names(monkeypatch, ["198.18.0.7"])
    async with TogetherClient("key") as client:
        with pytest.raises(ConfigurationError, match=r"TOGETHER_VIDEO_TRUSTED_HOSTS=198\.18\.0\.0/15"):
            await client.check()
    assert names.called == []
    monkeypatch.setenv("TOGETHER_VIDEO_TRUSTED_HOSTS", "198.18.0.0/15")
    async with TogetherClient("key") as client:
        await client.check()
    for answers in ([], ["8.8.8.8"], ["2606:4700::1"]):
        Names(monkeypatch, answers)
        async with TogetherClient("key") as client:
            await client.check()
