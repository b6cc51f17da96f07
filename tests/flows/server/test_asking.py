"""Whether the Prefect server is there: asked as Prefect's own client asks, and answered in one sentence."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prefect as installed
import pytest
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_KEY,
    PREFECT_API_SSL_CERT_FILE,
    PREFECT_API_TLS_INSECURE_SKIP_VERIFY,
    PREFECT_CLIENT_CUSTOM_HEADERS,
    PREFECT_CLIENT_MAX_RETRIES,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    PREFECT_CLOUD_API_URL,
    temporary_settings,
)

from prefect_together_video.flows.server import asking
from prefect_together_video.flows.server.asking import (
    ServerCheck,
    answers,
    ask_server,
    failing_clearly,
    reach,
)
from together_video.errors import ConfigurationError

JSON = {"content-type": "application/json"}
PAGE = (200, "<!doctype html><title>Prefect</title>", {"content-type": "text/html; charset=utf-8"})
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the person who runs the tests are not used."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def ask(url: str, settings: dict[Any, Any] | None = None, **more: Any) -> ServerCheck:
    with temporary_settings(settings or {}):
        check = asyncio.run(ask_server(url, **more))
    if check.problem is not None:
        assert check.version is None
        assert check.problem.endswith(".")
        assert check.problem.count(". ") <= 1
    return check


def problem(*args: Any, **more: Any) -> str:
    found = ask(*args, **more).problem
    assert found is not None
    return found


def test_a_server_that_is_there(stub: Any) -> None:
    """Its version is told, with a slash at the end of the address too, and it is asked once."""
    for url in (f"{stub.url}/api", f"{stub.url}/api/"):
        assert ask(url) == ServerCheck(url, "3.9.1")
    assert [path for _, path in stub.calls] == ["/api/admin/version"] * 2
    assert asyncio.run(answers(f"{stub.url}/api"))


@pytest.mark.parametrize("trusted", ["skip", "file"])
def test_a_private_certificate(
    stub: Any, certificate: Callable[..., Path], over_tls: Callable[..., Any], trusted: str
) -> None:
    """A server whose certificate is trusted by Prefect's settings is there."""
    file = certificate()
    url = f"{over_tls(stub, file).url}/api"
    settings = {PREFECT_API_SSL_CERT_FILE: str(file)}
    if trusted == "skip":
        settings = {PREFECT_API_TLS_INSECURE_SKIP_VERIFY: True}  # type: ignore[dict-item]
    assert ask(url, settings) == ServerCheck(url, "3.9.1")


@pytest.mark.parametrize(
    ("name", "days", "words"),
    [
        ("127.0.0.1", 1, "is not trusted (self-signed certificate): set PREFECT_API_SSL_CERT_FILE"),
        ("127.0.0.1", -1, "has expired"),
        ("127.0.0.2", 1, "is for another host"),
    ],
)
def test_a_certificate_that_is_refused(
    stub: Any,
    certificate: Callable[..., Path],
    over_tls: Callable[..., Any],
    name: str,
    days: int,
    words: str,
) -> None:
    """What is wrong with it is told, and not that the server does not answer."""
    file = certificate(name, days)
    url = f"{over_tls(stub, file).url}/api"
    trusting = {} if "not trusted" in words else {PREFECT_API_SSL_CERT_FILE: str(file)}
    assert words in problem(url, trusting)


def test_the_other_scheme(
    stub: Any, prefect: Any, new_unruly: Any, certificate: Callable[..., Path], over_tls: Callable[..., Any]
) -> None:
    """https:// where there is no TLS and http:// where there is: the address that works is told."""
    plain = f"{stub.url}/api"
    found = ask(plain.replace("http", "https"), {PREFECT_API_AUTH_STRING: "user:word"})
    assert found.suggested == plain
    assert "the server speaks plain HTTP" in (found.problem or "")
    assert all("authorization" not in headers for headers in stub.headers)
    file = certificate()
    secure = new_unruly("http://127.0.0.1:9")
    secure.strike = prefect()
    url = f"{over_tls(secure, file).url}/api"
    trusting = {PREFECT_API_SSL_CERT_FILE: str(file), PREFECT_CLIENT_MAX_RETRIES: 0}
    assert ask(url.replace("https", "http"), trusting).suggested == url


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({PREFECT_CLIENT_CUSTOM_HEADERS: {"X-Pass": "in"}}, "x-pass", "in"),
        ({PREFECT_API_AUTH_STRING: "user:word"}, "authorization", "Basic dXNlcjp3b3Jk"),
        ({PREFECT_API_KEY: "pnu_1"}, "authorization", "Bearer pnu_1"),
    ],
)
def test_a_server_that_wants_a_header(stub: Any, settings: Any, header: str, value: str) -> None:
    """Custom headers and credentials go along; without them it says which setting holds them."""
    strike = stub.strike
    stub.strike = lambda method, path, headers: (
        strike(method, path, headers) if headers.get(header) == value else (401, "{}", JSON)
    )
    url = f"{stub.url}/api"
    assert ask(url, settings) == ServerCheck(url, "3.9.1")
    assert "asks for credentials (HTTP 401): set PREFECT_API_AUTH_STRING" in problem(url)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({PREFECT_API_KEY: "pnu_1"}, "PREFECT_API_KEY, or set PREFECT_API_AUTH_STRING."),
        ({PREFECT_API_KEY: "pnu_1", PREFECT_API_AUTH_STRING: "u:w"}, "PREFECT_API_AUTH_STRING."),
        (
            {PREFECT_CLIENT_CUSTOM_HEADERS: {"X-Pass": "in"}},
            "PREFECT_CLIENT_CUSTOM_HEADERS, or set PREFECT_API_AUTH_STRING.",
        ),
    ],
)
def test_credentials_that_are_refused(stub: Any, status: int, settings: Any, name: str) -> None:
    """The setting that was sent is named."""
    stub.strike = lambda *_: (status, "{}", JSON)
    assert f"refuses the credentials (HTTP {status}): correct {name}" in problem(f"{stub.url}/api", settings)


@pytest.mark.parametrize(
    "path", ["", "/", "/dashboard", "/runs/flow-run/7?tab=Logs", "/v2/deployments", "/api/health", "/API"]
)
def test_a_page_instead_of_the_api(stub: Any, path: str) -> None:
    """Another path of a Prefect server: the address of its API is found and told."""
    found = ask(f"{stub.url}{path}")
    assert found.suggested == f"{stub.url}/api"
    assert f"set it to {stub.url}/api." in (found.problem or "")


def test_a_page_of_a_server_that_wants_a_password(stub: Any) -> None:
    """The API beside it is found although it refuses: Prefect tells anybody about its health."""
    strike = stub.strike
    stub.strike = lambda method, path, headers: (
        (401, "{}", JSON) if path == "/api/admin/version" else strike(method, path, headers)
    )
    assert ask(stub.url).suggested == f"{stub.url}/api"


def test_an_api_behind_a_prefix(stub: Any, prefect: Any) -> None:
    """A reverse proxy may serve all of Prefect under a path."""
    stub.strike = prefect(base="/team/api")
    assert ask(f"{stub.url}/team/runs").suggested == f"{stub.url}/team/api"


@pytest.mark.parametrize("text", ["{}/api", "{}", " http://{}/api "])
def test_no_scheme(stub: Any, text: str) -> None:
    """What works with a scheme is told, and no credentials go to an address that was only guessed."""
    url = text.format(stub.url.removeprefix("http://"))
    assert ask(url, {PREFECT_API_KEY: "pnu_1"}).suggested == f"{stub.url}/api"
    assert all("authorization" not in headers for headers in stub.headers)


def test_rubbish() -> None:
    """It is said to be no address, with an example."""
    assert problem("http://host:port/api") == (
        "PREFECT_API_URL is 'http://host:port/api', which is not the address of a Prefect API: set one such as "
        "http://127.0.0.1:4200/api."
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (PAGE, "an HTML page answers"),
        (
            (200, "<html>", {"content-type": "text/html", "server": "nginx/1.27"}),
            "an HTML page (nginx/1.27) answers",
        ),
        ((404, "", {"server": "nginx"}), "HTTP 404 (nginx) answers"),
        ((405, ""), "HTTP 405 answers"),
        ((200, '{"status": "ok"}', JSON), "HTTP 200 answers"),
        ((200, '"ok"', JSON), "HTTP 200 answers"),
        ((200, "3.9", JSON), "HTTP 200 answers"),
        ((200, "\xff", JSON), "HTTP 200 answers"),
    ],
)
def test_something_else(stub: Any, answer: Any, words: str) -> None:
    """A server that is not Prefect is said to be something else, and nothing is suggested."""
    stub.strike = lambda *_: answer
    found = ask(f"{stub.url}/api")
    assert f"where {words} instead of a Prefect API: set it to the address" in (found.problem or "")
    assert found.suggested is None


def test_a_login_page(stub: Any) -> None:
    """A redirect to something else is told with where it goes."""
    stub.strike = lambda method, path, headers: (
        PAGE if path == "/login" else (302, "", {"location": f"{stub.url}/login"})
    )
    assert f"a redirect to {stub.url}/login answers" in problem(f"{stub.url}/api")
    stub.strike = lambda *_: (302, "", {"location": "/login"})
    assert f"a redirect to {stub.url}/login answers" in problem(f"{stub.url}/api")


def test_a_redirect_that_would_lose_what_is_posted(stub: Any, new_unruly: Any) -> None:
    """After a 301 each POST would become a GET, so the address behind it is told; after a 308 all is well."""
    front = new_unruly("http://127.0.0.1:9")
    front.strike = lambda method, path, headers: (301, "", {"location": f"{stub.url}{path}"})
    found = ask(f"{front.url}/api")
    assert found.suggested == f"{stub.url}/api"
    front.strike = lambda method, path, headers: (308, "", {"location": f"{stub.url}{path}"})
    assert ask(f"{front.url}/api").version == "3.9.1"


@pytest.mark.parametrize("version", ["2.20.25", "4.0.0", "1.4.1"])
def test_another_major_version(stub: Any, prefect: Any, version: str) -> None:
    """Clients of Prefect work with servers of their own major version only."""
    stub.strike = prefect(version)
    words = f"has version {version}, but this program works with Prefect {installed.__version__[0]}"
    found = asyncio.run(ask_server(f"{stub.url}/api"))
    assert words in (found.problem or "")


def test_what_passes_is_retried(stub: Any) -> None:
    """502, 503 and 429 are asked again, as Prefect's client does."""
    passing = [502, 503, 429]
    strike = stub.strike
    stub.strike = lambda *call: (passing.pop(), "", {"retry-after": "0"}) if passing else strike(*call)
    assert ask(f"{stub.url}/api").version == "3.9.1"
    assert len(stub.calls) == 4


@pytest.mark.parametrize(
    ("status", "words"),
    [(503, "is not ready (HTTP 503)"), (429, "accepts no more requests for now (HTTP 429)")],
)
def test_what_does_not_pass_in_time(
    stub: Any, monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    """The whole question is bounded, whatever the server asks to wait."""
    monkeypatch.setattr(asking, "PATIENCE", 0.5)
    stub.strike = lambda *_: (status, "", {"retry-after": "60"})
    began = time.monotonic()
    assert words in problem(f"{stub.url}/api")
    assert time.monotonic() - began < 5


def test_a_server_in_trouble(stub: Any) -> None:
    """A 500 is not a reason to try another address."""
    stub.strike = lambda *_: (500, "Internal Server Error")
    assert "is not ready (HTTP 500)" in problem(f"{stub.url}/api")
    assert len(stub.calls) == 1


def test_nobody_answers() -> None:
    """A refused connection is told within seconds."""
    began = time.monotonic()
    assert problem("http://127.0.0.1:9/api") == (
        "The Prefect server at http://127.0.0.1:9/api does not answer. Start it, or correct PREFECT_API_URL."
    )
    assert time.monotonic() - began < 5
    assert "or unset PREFECT_API_URL to run without one" in problem("http://127.0.0.1:9/api", optional=True)
    assert not asyncio.run(answers("http://127.0.0.1:9/api"))


# httpx leaves a TLS handshake that is cancelled to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_stays_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is taken and never answered is given up within the bound."""
    for seconds in ("PATIENCE", "_GUESS_SECONDS"):
        monkeypatch.setattr(asking, seconds, 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert "does not answer within" in problem(f"http://127.0.0.1:{silent.getsockname()[1]}/api")
    assert time.monotonic() - began < 5
    gc.collect()


def test_a_proxy_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that names it is told, as it may be what is wrong."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert "does not answer through the proxy that HTTP_PROXY names" in problem("http://192.0.2.1:4200/api")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert "proxy" not in problem("http://127.0.0.1:9/api")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTP_PROXY", "ftp://proxy:3128"),
        ("https_proxy", "http://proxy:port"),
        ("ALL_PROXY", "http://[::1"),
        ("NO_PROXY", "localhost,[::1"),
    ],
)
def test_a_proxy_that_is_no_address(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """No client can be made with it: the variable is named."""
    monkeypatch.setenv(variable, value)
    (name, _, words) = problem("http://127.0.0.1:9/api").partition(" ")
    assert name == variable
    assert words.startswith(("is not a list of hosts", "names a proxy that cannot be used"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({PREFECT_API_SSL_CERT_FILE: "/nowhere/ca.pem"}, "PREFECT_API_SSL_CERT_FILE names /nowhere/ca.pem"),
        ({PREFECT_API_SSL_CERT_FILE: "/"}, "PREFECT_API_SSL_CERT_FILE names /, which cannot be read"),
        ({PREFECT_API_SSL_CERT_FILE: __file__}, "is not a file of certificates"),
        ({PREFECT_API_KEY: "pnu_1\n"}, "PREFECT_API_KEY contains a line break"),
        ({PREFECT_API_KEY: "schlüssel"}, "PREFECT_API_KEY contains"),
        ({PREFECT_CLIENT_CUSTOM_HEADERS: {"X Pass": "in"}}, "PREFECT_CLIENT_CUSTOM_HEADERS has 'X Pass'"),
        ({PREFECT_CLIENT_CUSTOM_HEADERS: {"X-Pass": "é"}}, "PREFECT_CLIENT_CUSTOM_HEADERS has 'X-Pass'"),
    ],
)
def test_a_setting_that_no_client_can_use(settings: Any, words: str) -> None:
    """Each is named at once, with the value if it is not secret."""
    assert words in problem("http://127.0.0.1:9/api", settings)


def test_prefect_cloud(stub: Any) -> None:
    """A workspace tells no version; one question shows whether the key holds."""
    url = f"{stub.url}/api/accounts/a-1/workspaces/w-2"
    cloud = {PREFECT_CLOUD_API_URL: f"{stub.url}/api", PREFECT_API_KEY: "pnu_1"}
    stub.strike = lambda *_: (200, "[]", JSON)
    assert ask(url, cloud) == ServerCheck(url)
    stub.strike = lambda *_: (401, "{}", JSON)
    assert problem(url, cloud).endswith("(HTTP 401): correct PREFECT_API_KEY.")
    page = ask("https://app.prefect.cloud/account/a-1/workspace/w-2/runs")
    assert page.suggested == "https://api.prefect.cloud/api/accounts/a-1/workspaces/w-2"


def test_the_check_of_the_version_can_be_off(stub: Any) -> None:
    """If Prefect's own check is switched off, we do not check the version either."""
    stub.strike = lambda method, path, headers: (
        (200, "[]", JSON) if path == "/api/flows/filter" else (404, "", JSON)
    )
    url = f"{stub.url}/api"
    assert ask(url, {PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False}) == ServerCheck(url)


def test_no_password_is_told(stub: Any) -> None:
    """An address may hold one; the sentence and the suggestion do not."""
    found = ask(stub.url.replace("http://", "http://user:word@"))
    assert found.suggested == f"{stub.url.replace('http://', 'http://***@')}/api"
    assert "word" not in (found.problem or "")


def test_reach_refuses_in_one_sentence(stub: Any) -> None:
    """Commands stop with it, and say that nothing was created."""
    check = asyncio.run(reach(f"{stub.url}/api"))
    assert check.version == "3.9.1"
    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(reach(stub.url))
    assert caught.value.message == (
        f"PREFECT_API_URL is {stub.url}, where an HTML page answers instead of a Prefect API: set it to "
        f"{stub.url}/api; nothing was created."
    )


def test_a_server_that_fails_later(stub: Any) -> None:
    """What Prefect's client raises after the question is one clear sentence too."""
    from prefect.client.orchestration import PrefectClient

    async def read(status: Any) -> None:
        stub.strike = lambda *_: status
        with failing_clearly(stub.url):
            async with PrefectClient(f"{stub.url}/api") as client:
                await client.read_block_types()

    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        for status, words in ((403, "asks for credentials"), (500, "is not ready"), ("reset", "went away")):
            with pytest.raises(ConfigurationError, match=words):
                asyncio.run(read(status))


def test_json_that_is_nested_without_end(stub: Any) -> None:
    """Python's own parser gives up with an error that is not a ValueError."""
    stub.strike = lambda *_: (200, "[" * 200_000, {"content-type": "application/json"})
    assert "answers instead of a Prefect API" in problem(f"{stub.url}/api")


@pytest.mark.parametrize("letter", ["x", "["])
def test_an_answer_without_end_is_not_read(stub: Any, letter: str) -> None:
    """A version is one line: after a mebibyte nothing more is taken."""
    stub.strike = lambda *_: (200, letter * (3 * 2**20), {"content-type": "application/json"})
    assert "answers instead of a Prefect API" in problem(f"{stub.url}/api")


def test_nothing_compressed_is_asked_for(stub: Any) -> None:
    """A kilobyte of it could unfold to gigabytes."""
    assert ask(f"{stub.url}/api").version == "3.9.1"
    assert {headers["accept-encoding"] for headers in stub.headers} == {"identity"}


@pytest.mark.parametrize("version", ["3.1.0\x1b[31m", "3." + "1" * 10_000, "3.1.0 and more"])
def test_a_version_that_is_none(stub: Any, prefect: Any, version: str) -> None:
    """Others write it, and it is shown in a terminal."""
    stub.strike = prefect(json.dumps(version)[1:-1])
    assert "answers instead of a Prefect API" in problem(f"{stub.url}/api")
