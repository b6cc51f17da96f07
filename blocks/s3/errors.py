"""What S3's answers mean for the user: botocore's errors become those of this project."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import botocore.exceptions as aws

from together_video.errors import ArchiveError, BucketRefused, StoreUnavailable
from together_video.text import one_line


class Taken(ArchiveError):
    """412: there is an object under this key."""


class Contended(ArchiveError):
    """409: another conditional write of the same key is under way."""


def server_time(headers: Mapping[str, str]) -> datetime:
    """The server's own clock; ours where a server does not tell its time."""
    return told_time(headers) or datetime.now(UTC)


def told_time(headers: Mapping[str, str]) -> datetime | None:
    """The time in the header `Date`; None where there is none, or none that can be read."""
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def status_of(error: aws.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: aws.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


#: Codes below 500 of a busy server.
_PASSING = frozenset({"SlowDown", "RequestTimeout", "Throttling"})


def translated(error: aws.ClientError, bucket: str, key: str) -> ArchiveError:
    """What S3's own codes mean for the user (Amazon S3 API reference, "Error responses")."""
    code, status = code_of(error), status_of(error)
    if status == 412 or code == "PreconditionFailed":
        return Taken(f"{key} is taken.")
    if status == 409 and code in {"ConditionalRequestConflict", "OperationAborted", "409"}:
        return Contended(f"{key} is being written.")
    if code == "NoSuchBucket":
        return BucketRefused(f"There is no bucket {bucket}: make it first, or name another.")
    if code in {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}:
        return BucketRefused(
            f"The AWS credentials for bucket {bucket} have expired.",
            remedy="Renew them and run again: it goes on where it was.",
        )
    if code in {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}:
        return BucketRefused(
            f"Bucket {bucket} is in another region ({one_line(str(error), 300)}): set AWS_REGION."
        )
    if status in {401, 403} or code in {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}:
        return BucketRefused(
            f"Bucket {bucket} refuses these credentials ({code or status}) for {key}: check the keys and what "
            "their policy allows."
        )
    if code in {"BadDigest", "XAmzContentSHA256Mismatch"}:
        return StoreUnavailable(f"What arrived at bucket {bucket} as {key} is not what was sent ({code}).")
    if status >= 500 or status == 429 or code in _PASSING:
        return StoreUnavailable(
            f"The S3 server of bucket {bucket} could not do it ({code or status}).",
            remedy="It may pass: run again later.",
        )
    return ArchiveError(f"The S3 server of bucket {bucket} refused {key}: {one_line(str(error), 300)}")
