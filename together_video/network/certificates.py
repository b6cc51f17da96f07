"""The certificates that servers must present, as the environment names them.

httpx reads `SSL_CERT_FILE`, else `SSL_CERT_DIR`, else its own list; boto3 reads `AWS_CA_BUNDLE`, else
`REQUESTS_CA_BUNDLE`. Where one of these names nothing usable, the error that they raise does not say which.
"""

from __future__ import annotations

import os
import ssl

import httpx

from together_video.errors import ConfigurationError

#: Variables that name a file of certificates, and who reads them.
_FILES = ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PREFECT_API_SSL_CERT_FILE")
#: All variables that name certificates.
NAMED_BY = (*_FILES, "SSL_CERT_DIR")


def tls_context() -> ssl.SSLContext:
    """What httpx clients verify servers with. Share it: reading it takes tens of milliseconds.

    Raises:
        ConfigurationError: `SSL_CERT_FILE` names no certificates.
    """
    try:
        return httpx.create_ssl_context()
    except OSError:
        check_certificate_variables("SSL_CERT_FILE")
        raise


def check_certificate_variables(*names: str) -> None:
    """Show that each of these variables, or of all that name certificates, names a file or a folder that holds some.

    Raises:
        ConfigurationError: one does not; names the variable.
    """
    for name in names or _FILES:
        if path := os.environ.get(name):
            _check_file(name, path)
    folder = os.environ.get("SSL_CERT_DIR")
    # OpenSSL takes several, and says nothing of one that is missing.
    if (
        folder
        and not os.environ.get("SSL_CERT_FILE")
        and not any(map(os.path.isdir, folder.split(os.pathsep)))
    ):
        raise ConfigurationError(
            f"SSL_CERT_DIR names {folder}, which is not a folder: no server could be trusted. Correct or unset it."
        )


def _check_file(name: str, path: str) -> None:
    try:
        # boto3 takes a folder as well.
        if not (os.path.isdir(path) and name in {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}):
            ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"{name} names {path}, which holds no certificates. Correct or unset it."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{name} names {path}, which cannot be read ({error.strerror or error}). Correct or unset it."
        ) from error
