"""The S3 client that a whole run shares."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions as aws
from botocore.config import Config
from botocore.utils import get_environ_proxies

from together_video.errors import ConfigurationError
from together_video.network.certificates import check_certificate_variables

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from prefect_aws.credentials import AwsCredentials, MinIOCredentials


#: Largest body, in bytes, that is sent without asking first: facts, records and most posters.
_SMALL = 65_536


def make_client(
    credentials: AwsCredentials | MinIOCredentials | None, connections: int, *, attempts: int = 5
) -> S3Client:
    """One S3 client for a whole run, from a credentials block or from boto3's default chain.

    Raises:
        ConfigurationError: a profile, a role, an endpoint or a region that boto3 cannot use.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=max(connections, 10),
        connect_timeout=10,
        read_timeout=60,
        tcp_keepalive=True,
        # By default boto3 signs links the old way, which does not work for KMS objects and newer regions.
        signature_version="s3v4",
        # The signature covers the SHA-256 that every PUT states for the server to verify. A second SHA-256 of the whole
        # body, only for the signature, would add nothing.
        s3={"payload_signing_enabled": False},
        # We send checksums where they matter; CRCs on every call break older servers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    options: dict[str, Any] = {}
    check_certificate_variables("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
    try:
        if credentials is None:
            session = boto3.Session()
        else:
            # The block's own get_s3_client() caches one client per process, with its pool of 10.
            session = credentials.get_boto3_session()
            options = credentials.aws_client_parameters.get_params_override()
            if "config" in options:
                config = config.merge(options.pop("config"))
        if session.region_name is None:
            # AWS's other tools read AWS_REGION, and its containers set it; boto3 does not read it.
            options.setdefault("region_name", os.environ.get("AWS_REGION") or "us-east-1")
        client: S3Client = session.client("s3", config=config, **options)
    # A ClientError: AWS's token service refuses the role that the credentials should assume.
    except (aws.BotoCoreError, aws.ClientError, ValueError) as error:
        raise ConfigurationError(f"boto3 cannot create an S3 client: {error}") from error
    _refuse_socks(client.meta.endpoint_url)
    client.meta.events.register_last("before-call.s3", _send_small_bodies_at_once)
    return client


def _refuse_socks(endpoint: str) -> None:
    """Refuse SOCKS proxies: boto3 treats every proxy as an HTTP proxy.

    Raises:
        ConfigurationError: calls of this endpoint would go through a SOCKS proxy.
    """
    scheme, _, host = endpoint.partition("://")
    proxy = get_environ_proxies(endpoint).get(scheme, "")
    if proxy.lower().startswith("socks"):
        variable = f"{scheme}_proxy" if f"{scheme}_proxy" in os.environ else f"{scheme.upper()}_PROXY"
        raise ConfigurationError(
            f"boto3 cannot call {endpoint} through the SOCKS proxy in {variable}: set it to an HTTP proxy, "
            f"or add {host.partition(':')[0]} to NO_PROXY."
        )


def _send_small_bodies_at_once(params: dict[str, Any], **_: object) -> None:
    """boto3 asks before each body whether the server wants it: for a small one, a useless round trip."""
    if int(params["headers"].get("Content-Length", _SMALL + 1)) <= _SMALL:
        params["headers"].pop("Expect", None)
