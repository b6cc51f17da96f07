"""What the environment says: the names are those that Together's and AWS's own tools use."""

from __future__ import annotations

import os
from decimal import Decimal, InvalidOperation

from pydantic import ValidationError

from together_video.client import DEFAULT_BASE_URL, Timeouts, normalise_base_url
from together_video.errors import ConfigurationError
from together_video.records import check_prefix


def api_from_env() -> tuple[str, str]:
    """TOGETHER_API_KEY and TOGETHER_BASE_URL, the latter normalised.

    Raises:
        ConfigurationError: there is no key, or the address is none.
    """
    key = os.environ.get("TOGETHER_API_KEY", "").strip()
    if not key:
        raise ConfigurationError(
            "There is no API key: set TOGETHER_API_KEY, or name a Together Credentials block."
        )
    return key, base_url_from_env()


def base_url_from_env() -> str:
    """TOGETHER_BASE_URL, normalised; the API's own address where it is not set.

    Raises:
        ConfigurationError: it is no http or https address.
    """
    return normalise_base_url(os.environ.get("TOGETHER_BASE_URL") or DEFAULT_BASE_URL)


def timeouts_from_env() -> Timeouts:
    """TOGETHER_VIDEO_CREATE_SECONDS and so on: one variable for each field of `Timeouts`, in seconds.

    Raises:
        ConfigurationError: one is no number, or out of its bounds.
    """
    names = {field: f"TOGETHER_VIDEO_{field.upper()}" for field in Timeouts.model_fields}
    given = {field: os.environ[name] for field, name in names.items() if os.environ.get(name)}
    try:
        return Timeouts.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        raise ConfigurationError(
            f"{names[field]} is {given[field]!r}: it must be a number of seconds, {first['msg'].lower()}."
        ) from error


def bucket_from_env() -> tuple[str, str]:
    """VIDEO_ARCHIVE_BUCKET and VIDEO_ARCHIVE_PREFIX. Keys and endpoint are boto3's AWS_* variables.

    Raises:
        ConfigurationError: there is no bucket, or the prefix is no plain path.
    """
    bucket = os.environ.get("VIDEO_ARCHIVE_BUCKET", "").strip()
    if not bucket:
        raise ConfigurationError(
            "There is no bucket: set VIDEO_ARCHIVE_BUCKET, or name a Video Archive block."
        )
    return check_bucket(bucket), check_prefix(os.environ.get("VIDEO_ARCHIVE_PREFIX", "").strip())


def archive_from_env() -> tuple[str, str, Decimal | None]:
    """All of them: the bucket, the prefix and the monthly limit in USD.

    Raises:
        ConfigurationError: as `bucket_from_env` and `monthly_limit_from_env`.
    """
    return *bucket_from_env(), monthly_limit_from_env()


def monthly_limit_from_env() -> Decimal | None:
    """VIDEO_ARCHIVE_MONTHLY_LIMIT_USD: what all runs together may spend in a calendar month, if it is set.

    Raises:
        ConfigurationError: it is no positive amount.
    """
    text = os.environ.get("VIDEO_ARCHIVE_MONTHLY_LIMIT_USD", "").strip()
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise ConfigurationError(
            f"VIDEO_ARCHIVE_MONTHLY_LIMIT_USD must be a positive amount in US dollars, is {text[:40]!r}."
        )
    return amount


def check_bucket(name: str) -> str:
    """The bucket's plain name; `s3://` in front of it is forgiven.

    Raises:
        ConfigurationError: there is a folder behind it, or it is no name at all.
    """
    plain = name.strip().removeprefix("s3://").rstrip("/")
    if not plain or "/" in plain or not plain.isprintable() or " " in plain:
        raise ConfigurationError(f"{name!r} is not a bucket's plain name; a folder goes into the prefix.")
    return plain
