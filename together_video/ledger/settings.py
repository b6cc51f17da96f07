"""The archive that the environment names: its bucket, its prefix, its monthly limit."""

from __future__ import annotations

import os
from decimal import Decimal, InvalidOperation

from together_video.errors import ConfigurationError
from together_video.ledger.layout import check_prefix


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
