"""The archive that the environment names: its bucket, its prefix, its monthly limit."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field, ValidationError

from together_video.environment import from_environment
from together_video.errors import ConfigurationError
from together_video.ledger.layout import check_prefix


class _Archive(BaseModel):
    bucket: str = ""
    prefix: str = ""
    monthly_limit_usd: Decimal | None = Field(default=None, gt=0)


def archive_from_env() -> tuple[str, str, Decimal | None]:
    """VIDEO_ARCHIVE_BUCKET, VIDEO_ARCHIVE_PREFIX and VIDEO_ARCHIVE_MONTHLY_LIMIT_USD: what all runs together may
    spend in a calendar month, if it is set. Keys and endpoint are boto3's AWS_* variables.

    Raises:
        ConfigurationError: there is no bucket, the prefix is no plain path, or the limit is no positive amount.
    """
    try:
        named = from_environment(_Archive, "VIDEO_ARCHIVE_")
    except ValidationError as error:
        given = str(error.errors()[0]["input"])
        raise ConfigurationError(
            f"VIDEO_ARCHIVE_MONTHLY_LIMIT_USD must be a positive amount in US dollars, is {given[:40]!r}."
        ) from error
    if not named.bucket:
        raise ConfigurationError(
            "There is no bucket: set VIDEO_ARCHIVE_BUCKET, or name a Video Archive block."
        )
    return check_bucket(named.bucket), check_prefix(named.prefix), named.monthly_limit_usd


def check_bucket(name: str) -> str:
    """The bucket's plain name; `s3://` in front of it is forgiven.

    Raises:
        ConfigurationError: there is a folder behind it, or it is no name at all.
    """
    plain = name.strip().removeprefix("s3://").rstrip("/")
    if not plain or "/" in plain or not plain.isprintable() or " " in plain:
        raise ConfigurationError(f"{name!r} is not a bucket's plain name; a folder goes into the prefix.")
    return plain
