"""The archive's settings from the environment: bucket or folder, prefix, monthly limit, links."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from together_video.environment import from_environment
from together_video.errors import ConfigurationError
from together_video.ledger.layout import check_prefix

#: How long links in artifacts work, in hours: by default, and at most (S3's limit for signatures).
LINK_HOURS, MOST_LINK_HOURS = 24.0, 168.0

_MEANING = {
    "VIDEO_ARCHIVE_MONTHLY_LIMIT_USD": "a positive amount in US dollars",
    "VIDEO_ARCHIVE_LINK_HOURS": "a number of hours from 0 (no links in artifacts) to 168 (7 days)",
}


class ArchiveSettings(BaseModel):
    """Either a bucket or a folder; the limit for all runs together in a calendar month, in USD; how long links in
    artifacts work, in hours.
    """

    model_config = ConfigDict(frozen=True)

    bucket: str | None = None
    folder: str | None = None
    prefix: str = ""
    monthly_limit_usd: Decimal | None = Field(default=None, gt=0)
    link_hours: float = Field(default=LINK_HOURS, ge=0, le=MOST_LINK_HOURS)


def archive_from_env(folder: str | Path | None = None) -> ArchiveSettings:
    """VIDEO_ARCHIVE_BUCKET or VIDEO_ARCHIVE_FOLDER, VIDEO_ARCHIVE_PREFIX, VIDEO_ARCHIVE_MONTHLY_LIMIT_USD and
    VIDEO_ARCHIVE_LINK_HOURS. Keys and endpoint of a bucket are boto3's AWS_* variables.

    Args:
        folder: a folder instead of the one from the environment, whose prefix and limit still apply.

    Raises:
        ConfigurationError: there is neither a bucket nor a folder, or both, or one of them cannot be used, the prefix
            is not a plain path, the limit is not a positive amount, or the hours are not from 0 to 168.
    """
    found = archive_if_named(folder)
    if found is None:
        raise ConfigurationError(
            "There is no archive: set VIDEO_ARCHIVE_FOLDER (or --archive-folder DIR) for a folder or "
            "VIDEO_ARCHIVE_BUCKET for an S3 bucket, or name a Video Archive block."
        )
    return found


def archive_if_named(folder: str | Path | None = None) -> ArchiveSettings | None:
    """Like `archive_from_env`, but None if there is neither a bucket nor a folder.

    Raises:
        ConfigurationError: see `archive_from_env`.
    """
    try:
        named = from_environment(ArchiveSettings, "VIDEO_ARCHIVE_")
    except ValidationError as error:
        found = error.errors()[0]
        name, given = str(found["loc"][0]), str(found["input"])
        raise ConfigurationError(f"{name} must be {_MEANING[name]}, is {given[:40]!r}.") from error
    if folder is not None:
        named = named.model_copy(update={"bucket": None, "folder": str(folder)})
    if named.bucket is not None and named.folder is not None:
        raise ConfigurationError(
            "VIDEO_ARCHIVE_BUCKET and VIDEO_ARCHIVE_FOLDER are both set, but an archive is in one place: unset one of "
            "them."
        )
    if named.bucket is None and named.folder is None:
        return None
    return named.model_copy(
        update={
            "bucket": None if named.bucket is None else check_bucket(named.bucket),
            "folder": None if named.folder is None else check_folder(named.folder),
            "prefix": check_prefix(named.prefix),
        }
    )


def check_bucket(name: str) -> str:
    """The bucket's plain name; a leading `s3://` is removed.

    Raises:
        ConfigurationError: it is followed by a folder, or is not a name at all.
    """
    plain = name.strip().removeprefix("s3://").rstrip("/")
    if not plain or "/" in plain or not plain.isprintable() or " " in plain:
        raise ConfigurationError(f"{name!r} is not a bucket name: put a folder into the prefix.")
    return plain


def check_folder(path: str) -> str:
    """The folder's absolute path. `~` and relative paths are resolved for this process's user and directory.

    Raises:
        ConfigurationError: it is not a path, or it is an address.
    """
    given = path.strip()
    if not given or not given.isprintable() or "://" in given:
        raise ConfigurationError(f"{path!r} is not the path of a folder, such as ~/Videos/together.")
    try:
        return os.path.abspath(Path(given).expanduser())
    except RuntimeError as error:
        raise ConfigurationError(
            f"{path!r}: there is no such user, or the user has no home folder."
        ) from error


def check_name_in_folder(path: str, what: str) -> str:
    """A prefix or a file name template, checked for use below a folder.

    Raises:
        ConfigurationError: a part of it begins with a dot: hidden files are not listed.
    """
    if any(piece.startswith(".") for piece in path.split("/")):
        raise ConfigurationError(f"The {what} {path!r} has a part that begins with a dot, which hides files.")
    return path
