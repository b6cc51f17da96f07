"""Variables that name certificates: what is wrong with one is said with its name."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import certifi
import pytest

from together_video.api.client import TogetherClient
from together_video.errors import ConfigurationError
from together_video.network.certificates import check_certificate_variables, tls_context

ALL = ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PREFECT_API_SSL_CERT_FILE")


@pytest.fixture(autouse=True)
def none_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ALL, "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", ["missing", "folder", "text", "empty", "cut short"])
def test_what_holds_no_certificates_is_named(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever program reads it; its own error would say "No such file or directory", and not of which."""
    path = tmp_path / "bundle.pem"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("no certificate")
    elif kind == "empty":
        path.touch()
    elif kind == "cut short":
        path.write_bytes(Path(certifi.where()).read_bytes()[:400])
    monkeypatch.setenv(name, str(path))
    if kind == "folder" and name in {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}:
        check_certificate_variables()  # boto3 takes folders
        return
    with pytest.raises(ConfigurationError) as caught:
        check_certificate_variables()
    assert caught.value.message.startswith(f"{name} names {path}, which ")


def test_good_ones_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's own bundle in every variable."""
    bundle = tmp_path / "company.pem"
    shutil.copy(certifi.where(), bundle)
    for name in ALL:
        monkeypatch.setenv(name, str(bundle))
    check_certificate_variables()
    assert isinstance(tls_context(), ssl.SSLContext)


def test_a_folder_of_certificates_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL takes several, and is silent about those that are not there; a file goes before it."""
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path / 'no'}:{tmp_path / 'nor'}")
    with pytest.raises(ConfigurationError, match="SSL_CERT_DIR names"):
        check_certificate_variables()
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path / 'no'}:{tmp_path}")
    check_certificate_variables()
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "no"))
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    check_certificate_variables()


def test_a_client_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in somebody's own flow, where no command has looked before."""
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/bundle.pem")
    with pytest.raises(ConfigurationError, match=r"SSL_CERT_FILE names /no/such/bundle\.pem"):
        TogetherClient("key")
