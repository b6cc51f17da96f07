"""Checks that need nothing but this machine: each is broken, and its line says so and what fixes it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import namedtuple
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest

from prefect_together_video.flows.checkup.clock import check_clock
from prefect_together_video.flows.checkup.dependencies import PACKAGE, check_dependencies, requirements_of
from prefect_together_video.flows.checkup.line import CheckLine, State, failed, guarded, ok
from prefect_together_video.flows.checkup.machine import (
    check_decoding,
    check_disk,
    check_output,
    check_python,
)
from prefect_together_video.flows.checkup.network import check_certificates, check_proxies
from prefect_together_video.flows.checkup.redaction import Secrets
from together_video.errors import ConfigurationError, VideoError
from together_video.network.proxies import proxies_from_env

API = "https://api.together.ai"
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes metadata of a package, of this version and with these lines, hide those that are installed."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, version: str, *lines: str) -> None:
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines]
        (folder / "METADATA").write_text("\n".join(head) + "\n")

    return make


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [
        ("3.10.9", State.FAILED, "3.11 to 3.13"),
        ("3.11.0", State.OK, None),
        ("3.13.2", State.OK, None),
        ("3.13.0rc1", State.OK, None),
        ("3.14.0", State.WARNING, "3.11 to 3.13"),
    ],
)
def test_python(version: str, state: State, words: str | None) -> None:
    """Too old a Python is a failure, an untested one a warning; the range is that of the package's metadata."""
    line = check_python(version)
    assert line.state is state
    assert line.words.startswith(version)
    assert (words or "") in (line.remedy or "")


def test_the_installed_dependencies_are_good() -> None:
    """What the lock file installs meets every requirement, SOCKS support of httpx included."""
    line = check_dependencies()
    assert (line.state, line.command) == (State.OK, None)
    assert metadata.version("prefect") in line.words
    assert len(list(requirements_of("httpx", frozenset({"socks"})))) > len(list(requirements_of("httpx")))


def test_a_dependency_that_is_too_new(install: Install) -> None:
    """FastAPI 0.155, with which Prefect's server does not import: both versions are named, and the command."""
    install("fastapi", "0.155.0")
    line = check_dependencies()
    assert line.state is State.FAILED
    assert line.words == "fastapi 0.155.0 is installed, but <0.151,>=0.139 is needed."
    assert line.command == "pip install 'fastapi<0.151,>=0.139'"


def test_a_dependency_that_is_missing(install: Install) -> None:
    """A package, and an extra of one."""
    extra = 'Requires-Dist: no-such-socks>=1; extra == "socks"'
    install("httpx", "0.28.9", "Provides-Extra: socks", extra)
    install(PACKAGE, "9.9", "Requires-Dist: no-such-package>=1", "Requires-Dist: httpx[socks]>=0.28")
    line = check_dependencies()
    assert line.state is State.FAILED
    assert line.words == "no-such-package is not installed. no-such-socks is not installed."
    assert line.command == "pip install 'no-such-package>=1' 'no-such-socks>=1'"


@pytest.mark.parametrize(
    ("prefect", "alchemy", "state"),
    [
        ("3.8.8", "2.1.0", State.FAILED),
        ("3.8.8", "2.0.58", State.OK),
        ("3.9.1", "2.1.9", State.OK),
    ],
)
def test_a_pair_that_fails_together(install: Install, prefect: str, alchemy: str, state: State) -> None:
    """Prefect 3.8 starts no scheduled run with SQLAlchemy 2.1, although it asks for it."""
    install("prefect", prefect)
    install("sqlalchemy", alchemy)
    line = check_dependencies()
    assert line.state is state
    assert (state is State.OK) or "scheduled" in line.words


def test_only_the_source_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package without metadata cannot be compared with anything."""
    monkeypatch.setattr("prefect_together_video.flows.checkup.dependencies.PACKAGE", "no-such-package-here")
    assert check_dependencies().command == "pip install ."
    monkeypatch.setattr("prefect_together_video.flows.checkup.machine.PACKAGE", "no-such-package-here")
    assert check_python().state is State.OK


def test_the_decoder(decoder_with: Callable[[str], object]) -> None:
    """PyAV that opens nothing is found before a video is bought."""
    assert "PyAV" in check_decoding().words
    decoder_with("import av; av.open = None")
    with pytest.raises(ConfigurationError, match="pip install --upgrade av"):
        check_decoding()


def test_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in place of the folder is an error, little room a warning, no room an error."""
    assert check_disk(tmp_path / "spool").state is State.OK
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        check_disk(tmp_path / "file")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 500 * 10**6))
    line = check_disk(tmp_path / "spool")
    assert line.state is State.WARNING
    assert "500 MB" in line.words
    assert "TOGETHER_VIDEO_SPOOL" in (line.remedy or "")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 5 * 10**6))
    with pytest.raises(ConfigurationError, match="room for 5 MB"):
        check_disk(tmp_path / "spool")


@pytest.mark.parametrize(("encoding", "state"), [("utf-8", State.OK), ("cp1252", State.WARNING)])
def test_the_output(encoding: str, state: State) -> None:
    """A terminal that cannot show every character gives a note, and no more."""
    line = check_output(encoding, holds_all=state is State.OK)
    assert line.state is state
    assert line.words.startswith(encoding)


def test_the_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variable that is used is named; one that names nothing is an error."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert check_certificates().state is State.OK
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert f"SSL_CERT_DIR ({tmp_path})" in check_certificates().words
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigurationError, match="AWS_CA_BUNDLE"):
        check_certificates()


@pytest.mark.parametrize(
    ("variables", "state", "words"),
    [
        ({}, State.OK, "https://api.together.ai is called directly."),
        ({"HTTPS_PROXY": "http://me:hunter2@proxy:3128"}, State.OK, "HTTPS_PROXY (http://***@proxy:3128)"),
        ({"ALL_PROXY": "socks://proxy:1080"}, State.OK, "ALL_PROXY (socks5://proxy:1080)"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "together.ai"}, State.OK, "called directly"),
        ({"HTTP_PROXY": "http://proxy:3128"}, State.OK, "called directly"),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "10.0.0.0/8"}, State.WARNING, "'10.0.0.0/8'"),
    ],
)
def test_the_proxies(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], state: State, words: str
) -> None:
    """Which proxy the API is called through, without its password, and what of NO_PROXY is ignored."""
    for kind in ("http", "https", "all", "no"):
        for name in (f"{kind}_proxy", f"{kind.upper()}_PROXY"):
            monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    line = check_proxies(proxies_from_env(), API)
    assert line.state is state
    assert words in line.words
    assert "hunter2" not in line.words


def test_a_proxy_that_cannot_be_used_keeps_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slash in a password makes it look like a port, which httpx names."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2/hunter3@proxy:3128")
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        proxies_from_env()
    assert "hunter" not in caught.value.message


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("seconds", "state", "words"),
    [
        (0, State.OK, "Agrees with the S3 server and the API."),
        (-59, State.OK, "Agrees"),
        (90, State.WARNING, "90 seconds behind that of the S3 server"),
        (-90, State.WARNING, "ahead of that of the S3 server"),
        (400, State.FAILED, "7 minutes behind"),
        (-86_400, State.FAILED, "24 hours ahead"),
    ],
)
async def test_the_clock(seconds: int, state: State, words: str) -> None:
    """The server that is furthest off counts: 60 s are a warning, five minutes a failure."""
    now = datetime(2026, 12, 1, tzinfo=UTC)

    async def off() -> datetime:
        return now + timedelta(seconds=seconds)

    async def right() -> datetime:
        return now

    line = await check_clock({"the S3 server": off, "the API": right}, clock=now.timestamp)
    assert line.state is state
    assert words in line.words
    assert ("timedatectl" in (line.remedy or "")) is (state is not State.OK)


@pytest.mark.anyio
async def test_the_clock_without_any_server() -> None:
    """Who does not answer, or tells no time, is left out."""

    async def away() -> None:
        raise ConfigurationError("There is no bucket.")

    async def silent() -> None:
        return None

    assert (await check_clock({"a": away, "b": silent})).state is State.SKIPPED


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (VideoError("The bucket is gone."), "The bucket is gone."),
        (ImportError("cannot import name 'x' from 'pydantic'"), "cannot import name"),
        (KeyError("a-secret"), "The check itself failed (KeyError): please report this."),
        (TimeoutError("a-secret"), "The check itself failed (TimeoutError): please report this."),
    ],
)
async def test_whatever_a_check_raises_is_a_line(error: Exception, words: str) -> None:
    """An error of ours is shown, one of others by its type alone, as its text may hold a secret."""

    async def check() -> CheckLine:
        raise error

    line = await guarded("Disk", check)
    assert (line.name, line.state) == ("Disk", State.FAILED)
    assert words in line.words
    assert "a-secret" not in line.words


@pytest.mark.anyio
async def test_a_check_that_hangs_is_a_line() -> None:
    """It is given up after its time."""

    async def check() -> CheckLine:
        await asyncio.sleep(60)
        return ok("Disk", "never")

    started = time.monotonic()
    line = await guarded("Disk", check, seconds=0.05, hint="Check the network.")
    assert time.monotonic() - started < 20
    assert line.words == "There was no answer within 0 seconds."
    assert line.remedy == "Check the network."


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        ("TOGETHER_API_KEY", "tgp-0123456789", "the key tgp-0123456789 is wrong"),
        ("HTTPS_PROXY", "http://me:hunter2222@proxy:1", "cannot parse http://me:hunter2222@proxy:1"),
        ("HTTPS_PROXY", "me:hunter2222@proxy:1", "invalid password 'hunter2222'"),
        ("HTTPS_PROXY", "http://me:hunter22/22hunter@proxy:1", "invalid port 'hunter22'"),
        ("PREFECT_API_AUTH_STRING", "admin:hunter2222", "hunter2222 and admin:hunter2222"),
        ("PREFECT_API_URL", "http://me:hunter2222@host/api", "http://me:hunter2222@host/api is away"),
        ("UNKNOWN", "", "http://me:hunter2222@host/api is away"),
    ],
)
def test_secrets_are_removed(variable: str, value: str, text: str) -> None:
    """Whatever an error text of others quotes."""
    line = Secrets({variable: value}).removed_from(failed("Proxy", text, text, text))
    for shown in (line.words, line.remedy, line.command):
        assert shown
        assert "hunter" not in shown
        assert "tgp-" not in shown
        assert "***" in shown


def test_a_secret_of_a_few_letters_leaves_words_alone() -> None:
    """A stand-in's key is called key."""
    line = failed("API key", f"{API} refuses the key: set TOGETHER_API_KEY.")
    assert Secrets({"TOGETHER_API_KEY": "key"}).removed_from(line) == line
