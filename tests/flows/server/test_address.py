"""Addresses of a Prefect API: what is one, how it is shown, which one was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_together_video.flows.server.address import (
    candidates,
    cloud_address,
    is_address,
    no_address,
    refuse_wrong_address,
    shown,
)
from together_video.errors import ConfigurationError

API = "http://127.0.0.1:4200/api"
CLOUD = "https://api.prefect.cloud/api/accounts/a-1/workspaces/w-2"


@pytest.mark.parametrize(
    "url",
    [
        API,
        f"{API}/",
        "https://prefect.example.com/team/api",
        "http://localhost/api",
        "http://[::1]:4200/api",
        "http://user:word@host/api",
        "http://bücher.example/api",
    ],
)
def test_an_address(url: str) -> None:
    """Whatever a client can send a request to is asked as it is."""
    assert is_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rubbish",
        "localhost:4200/api",
        "127.0.0.1:4200",
        "ws://127.0.0.1:4200/api",
        "http://",
        "http:///api",
        "http://host:port/api",
        "http://host:99999/api",
        "http://[::1/api",
        "http://ho st/api",
        f" {API}",
        f"{API}\n",
        "://",
    ],
)
def test_no_address(url: str) -> None:
    """What no client can send to is seen before one tries."""
    assert not is_address(url)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("http://h:4200", "http://h:4200/api"),
        ("http://h:4200/", "http://h:4200/api"),
        ("http://h:4200/dashboard", "http://h:4200/api"),
        ("http://h:4200/runs", "http://h:4200/api"),
        ("http://h:4200/runs/flow-run/0192-af?tab=Logs#top", "http://h:4200/api"),
        ("http://h:4200/v2/deployments", "http://h:4200/api"),
        ("http://h:4200/v1/blocks/catalog", "http://h:4200/api"),
        ("http://h:4200/api/health", "http://h:4200/api"),
        ("http://h:4200/api/admin/version", "http://h:4200/api"),
        ("http://h:4200/api/docs#/", "http://h:4200/api"),
        ("https://h/team/prefect/runs", "https://h/team/prefect/api"),
        ("https://h/api/prefect/api/health", "https://h/api/prefect/api"),
        ("http://u:w@h:4200/runs", "http://u:w@h:4200/api"),
        ("http://[::1]:4200/runs", "http://[::1]:4200/api"),
        ("localhost:4200/api", "http://localhost:4200/api"),
        ("localhost", "http://localhost/api"),
        ("127.0.0.1:4200", "http://127.0.0.1:4200/api"),
        ("server:4200/api", "http://server:4200/api"),
        ("prefect.example.com/api", "https://prefect.example.com/api"),
        ("//h:4200/api", "http://h:4200/api"),
        ("http:/h:4200/api", "http://h:4200/api"),
        ("hppt://h:4200/api", "http://h:4200/api"),
        ("ws://h:4200/api/events/in", "http://h:4200/api"),
        ("wss://h/api", "https://h/api"),
        ("https://h:4200/api", "http://h:4200/api"),
        ("http://h/api", "https://h/api"),
        (f" {API} ", API),
        (f'"{API}"', API),
        (f"{API}\n", API),
    ],
)
def test_what_was_meant(url: str, meant: str) -> None:
    """The address that works is among the candidates for every way to get it wrong."""
    assert meant in candidates(url)


def test_the_likeliest_comes_first() -> None:
    """The same scheme before the other one, a path that says api before any guess, and the address itself never."""
    assert candidates("http://h:4200/api/health") == ("http://h:4200/api", "https://h:4200/api")
    assert candidates("http://h/runs") == (
        "http://h/runs/api",
        "http://h/api",
        "https://h/runs/api",
        "https://h/api",
    )
    assert candidates("http://h/api/") == ("https://h/api",)


@pytest.mark.parametrize(
    "url", ["", " ", "://", "http://", "http://host:port/x", "http://[::1/x", "/", "?", "a b"]
)
def test_rubbish_means_nothing(url: str) -> None:
    """Nothing is guessed where there is no host."""
    assert candidates(url) == ()


@given(st.text(max_size=60))
def test_any_text_can_be_looked_at(url: str) -> None:
    """No text makes these functions fail, and each candidate is an address."""
    assert all(is_address(one) for one in candidates(url))
    assert shown(url).isprintable()
    assert no_address(url).endswith(".")
    cloud_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.prefect.cloud/account/a-1/workspace/w-2",
        "https://app.prefect.cloud/account/a-1/workspace/w-2/dashboard?a=b",
        "https://app.prefect.cloud/account/a-1/workspace/w-2/runs/flow-run/3",
        "app.prefect.cloud/account/a-1/workspace/w-2",
        "https://app.prefect.cloud/api/accounts/a-1/workspaces/w-2",
        "https://api.prefect.cloud/account/a-1/workspace/w-2",
        "https://api.prefect.cloud/accounts/a-1/workspaces/w-2",
        "http://api.prefect.cloud/api/accounts/a-1/workspaces/w-2",
        f"{CLOUD}/health",
    ],
)
def test_a_page_of_prefect_cloud(url: str) -> None:
    """A workspace's page gives the address of its API."""
    assert cloud_address(url) == CLOUD


def test_prefect_cloud_without_a_workspace() -> None:
    """Where no workspace is named, the form of the address is told."""
    for url in (
        "https://app.prefect.cloud",
        "https://api.prefect.cloud/api",
        "https://app.prefect.cloud/auth/login",
    ):
        assert cloud_address(url) == (
            "https://api.prefect.cloud/api/accounts/<account id>/workspaces/<workspace id>"
        )


@pytest.mark.parametrize(
    "url", [CLOUD, f"{CLOUD}/", API, "rubbish", "https://app.prefect.cloud.example.com/", "["]
)
def test_not_a_page_of_prefect_cloud(url: str) -> None:
    """A right address, or one of somebody else, is left alone."""
    assert cloud_address(url) is None


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://u:word@h/api", "http://***@h/api"),
        ("u:word@h:4200", "***@h:4200"),
        ("http://u@h/api", "http://***@h/api"),
        ("http://u:w@rd@h/api", "http://***@h/api"),
        ("http://u:wo/rd@h/api", "http://***@h/api"),
        ("http://h/api/a:b@c", "http://h/api/a:b@c"),
        ("//u:word@h/api", "//***@h/api"),
        ("http://token@h:4200/api", "http://***@h:4200/api"),
        ("http://h/api?token=word", "http://h/api?***"),
        ("http://h/\x1b[31mapi", "http://h/\\x1b[31mapi"),
    ],
)
def test_no_password_is_shown(url: str, text: str) -> None:
    """A message holds neither a password nor what a terminal would obey."""
    assert shown(url) == text


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://[::1/api", "is not the address"),
        ("https://app.prefect.cloud/account/a-1/workspace/w-2", CLOUD),
    ],
)
def test_refused_before_prefect_is_imported(url: str, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect cannot be imported with the one and warns at length of the other: both are refused from the variable."""
    monkeypatch.setenv("PREFECT_API_URL", url)
    with pytest.raises(ConfigurationError, match="nothing was created") as caught:
        refuse_wrong_address()
    assert word in caught.value.message


def test_other_addresses_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address, or one that may be right, is not a reason to refuse."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    refuse_wrong_address()
    for url in ("", API, "localhost:4200"):
        refuse_wrong_address(url)
