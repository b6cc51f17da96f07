"""The trusted certificates from the environment.

httpx reads `SSL_CERT_FILE`, or `SSL_CERT_DIR`, or its own list; boto3 reads `AWS_CA_BUNDLE`, or `REQUESTS_CA_BUNDLE`.
If one of these names nothing usable, their errors do not say which.
"""

from __future__ import annotations

import os
import ssl

import httpx

from together_video.errors import ConfigurationError

#: Variables that name a file of certificates.
_FILES = ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PREFECT_API_SSL_CERT_FILE")
#: All variables that name certificates.
NAMED_BY = (*_FILES, "SSL_CERT_DIR")


def tls_context() -> ssl.SSLContext:
    """The TLS context of httpx clients. Share it: reading it takes tens of milliseconds.

    Raises:
        ConfigurationError: `SSL_CERT_FILE` names no certificates.
    """
    try:
        return httpx.create_ssl_context()
    except OSError:
        check_certificate_variables("SSL_CERT_FILE")
        raise


def check_certificate_variables(*names: str) -> None:
    """Check that each of these variables (by default all) names a file or a folder with certificates.

    Raises:
        ConfigurationError: one does not; the message names the variable.
    """
    for name in names or _FILES:
        if path := os.environ.get(name):
            _check_file(name, path)
    folder = os.environ.get("SSL_CERT_DIR")
    # OpenSSL accepts several folders, and ignores missing ones.
    if (
        folder
        and not os.environ.get("SSL_CERT_FILE")
        and not any(map(os.path.isdir, folder.split(os.pathsep)))
    ):
        raise ConfigurationError(
            f"SSL_CERT_DIR names {folder}, which is not a folder, so no server can be trusted. Correct or unset it."
        )


def _check_file(name: str, path: str) -> None:
    try:
        # boto3 also accepts a folder.
        if not (os.path.isdir(path) and name in {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}):
            ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"{name} names {path}, which contains no certificates. Correct or unset it."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{name} names {path}, which cannot be read ({error.strerror or error}). Correct or unset it."
        ) from error
