"""Proxy variables as desktops, companies and containers set them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import pytest

from together_video.errors import ConfigurationError
from together_video.network.proxies import make_usable_for_httpx, proxies_from_env


@pytest.fixture(autouse=True)
def no_proxies() -> Iterator[None]:
    """None are set, and what is rewritten is put back."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        before = dict(os.environ)
        yield
        os.environ.clear()
        os.environ.update(before)


def given(**variables: str) -> None:
    os.environ.update(variables)


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("socks://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
        ("SOCKS://127.0.0.1:1080/", "socks5://127.0.0.1:1080/"),
        ("socks5://user:p%40ss@127.0.0.1:1080", "socks5://user:p%40ss@127.0.0.1:1080"),
        ("socks5h://localhost:1080", "socks5h://localhost:1080"),
        ("proxy.example.com:3128", "http://proxy.example.com:3128"),
        ("  http://proxy:3128 ", "http://proxy:3128"),
        ("https://proxy:443", "https://proxy:443"),
        ("http://[::1]:3128", "http://[::1]:3128"),
    ],
)
def test_a_proxy_that_works(address: str, taken: str) -> None:
    """In the spelling that httpx takes, for our clients and, rewritten, for all others in the process."""
    given(ALL_PROXY=address)
    assert proxies_from_env().by_pattern == {"all://": taken}
    assert make_usable_for_httpx() == ()
    assert os.environ["ALL_PROXY"] == taken
    httpx.AsyncClient()


@pytest.mark.parametrize(
    "address",
    [
        "socks4://127.0.0.1:1080",
        "ftp://proxy:21",
        "http://",
        "http://:3128",
        "http://proxy:99999",
        "http://proxy:0",
        "http://proxy:port",
        "http://[::1",
        "http://two words:1",
        "http://" + "a" * 70 + ":1",
        "socks5://user:hidden@proxy:99999",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_that_cannot_work(variable: str, address: str) -> None:
    """Refused in one sentence that names the variable and hides the password."""
    given(**{variable: address})
    with pytest.raises(ConfigurationError) as caught:
        proxies_from_env()
    assert caught.value.message.startswith(f"{variable} names a proxy that cannot be used")
    assert "hidden" not in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("blank", ["", "   "])
def test_a_blank_variable_is_none(blank: str) -> None:
    """Some scripts unset a proxy by emptying it."""
    given(ALL_PROXY=blank, HTTPS_PROXY=blank)
    assert proxies_from_env().by_pattern == {}
    make_usable_for_httpx()
    httpx.AsyncClient()


@pytest.mark.parametrize(
    "hosts",
    [
        "localhost,127.0.0.1,[::1]",
        "[::1]",
        "localhost, 127.0.0.1, ::1",
        "localhost 127.0.0.1 [::1]",
        "[fe80::1]:8080,fd00::/8,10.0.0.0/8,<local>,*.example.com,.example.com,host:port,a:99999,http://x:y,,",
    ],
)
def test_no_entry_of_no_proxy_stops_httpx(hosts: str) -> None:
    """With a proxy and without one; rewritten, httpx takes the variable too."""
    given(NO_PROXY=hosts)
    assert proxies_from_env().by_pattern == {}
    given(HTTPS_PROXY="http://proxy:3128")
    settings = proxies_from_env()
    assert settings.by_pattern["https://"] == "http://proxy:3128"
    httpx.AsyncClient(mounts=dict.fromkeys(settings.by_pattern), trust_env=False)
    make_usable_for_httpx()
    httpx.AsyncClient()


@pytest.mark.parametrize("entry", ["host:port", "fd00::/8", "10.0.0.0/8", "http://x:y"])
def test_what_cannot_be_understood_is_named_once(entry: str) -> None:
    """One warning, with the variable; no warning where there is no proxy to be exempt from."""
    given(no_proxy=f"localhost,{entry}")
    assert proxies_from_env().warnings == ()
    given(https_proxy="http://proxy:3128")
    (warning,) = proxies_from_env().warnings
    assert warning.startswith(f"no_proxy contains {entry!r}")
    assert proxies_from_env().by_pattern["all://localhost"] is None


@pytest.mark.parametrize(
    ("hosts", "address", "is_exempt"),
    [
        ("[::1]", "https://[::1]/x", True),
        ("::1", "https://[::1]:8000/x", True),
        ("[::1]:8000", "https://[::1]:8000", True),
        ("[::1]:8000", "https://[::1]:9000", False),
        ("example.com", "https://api.example.com", True),
        ("example.com", "https://example.com", True),
        ("example.com", "https://notexample.com", False),
        (".example.com", "https://api.example.com", True),
        ("*.example.com", "https://api.example.com", True),
        ("*.example.com", "https://example.org", False),
        ("example.com:444", "https://example.com", False),
        ("localhost", "https://localhost:4200", True),
        ("127.0.0.1", "https://127.0.0.1:4200", True),
        ("*", "https://api.example.com", True),
        ("x,*", "https://api.example.com", True),
    ],
)
def test_who_is_called_without_a_proxy(hosts: str, address: str, is_exempt: bool) -> None:
    """What is said of an address is what httpx does with it, in our clients and by the rewritten variables."""
    given(HTTPS_PROXY="http://proxy:3128", NO_PROXY=hosts)
    settings = proxies_from_env()
    assert settings.variable_for(address) == (None if is_exempt else "HTTPS_PROXY")
    through = httpx.AsyncHTTPTransport()
    mounts = {pattern: None if proxy is None else through for pattern, proxy in settings.by_pattern.items()}
    ours = httpx.AsyncClient(mounts=mounts, trust_env=False)
    assert (ours._transport_for_url(httpx.URL(address)) is through) is not is_exempt
    make_usable_for_httpx()
    theirs = httpx.AsyncClient()
    assert (theirs._transport_for_url(httpx.URL(address)) is not theirs._transport) is not is_exempt


@pytest.mark.parametrize("scheme", ["http", "https", "all"])
def test_an_empty_lower_case_switches_a_proxy_off(scheme: str) -> None:
    """Also for others in the process, once the variables are rewritten."""
    given(**{f"{scheme}_proxy": "", f"{scheme.upper()}_PROXY": "http://127.0.0.1:9"})
    assert proxies_from_env().by_pattern == {}
    make_usable_for_httpx()
    client = httpx.AsyncClient()
    assert client._transport_for_url(httpx.URL("https://example.com")) is client._transport
    assert client._transport_for_url(httpx.URL("http://example.com")) is client._transport


def test_the_lower_case_wins() -> None:
    """As for curl and requests; the variable that is named is the one that is read."""
    given(HTTPS_PROXY="http://upper:1", https_proxy="http://lower:1")
    assert proxies_from_env().by_pattern == {"https://": "http://lower:1"}
    assert proxies_from_env().variable_for("https://example.com") == "https_proxy"
    assert proxies_from_env().variable_for("http://example.com") is None
