"""What S3's answers mean for the user: botocore's errors become errors of this project.

The codes are from the Amazon S3 API reference ("Error responses") and from compatible servers. One table says what a
code means: what happened, what to do, and whether the same call may be made again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import botocore.exceptions as aws

from together_video.errors import (
    ArchiveError,
    BucketRefused,
    ConfigurationError,
    StoreFull,
    StoreUnavailable,
    StoreUnsafe,
    VideoError,
)
from together_video.text import one_line


class Taken(ArchiveError):
    """412: there is already an object under this key."""


class Contended(ArchiveError):
    """409: another conditional write of the same key is running."""


class Meaning(NamedTuple):
    """What a code means: a sentence with {bucket}, {key}, {code} and {said}, and what to do about it."""

    kind: type[ArchiveError]
    what: str
    remedy: str | None = None


_KEYS = Meaning(
    BucketRefused,
    "Bucket {bucket} refuses these credentials ({code}) for {key}: check the keys and what their policy allows.",
)
_EXPIRED = Meaning(
    BucketRefused,
    "The AWS credentials for bucket {bucket} have expired.",
    "Renew them and run again: it resumes where it stopped.",
)
_ELSEWHERE = Meaning(BucketRefused, "Bucket {bucket} is in another region ({said}): set AWS_REGION.")
_FULL = Meaning(
    StoreFull,
    "The storage behind bucket {bucket} is full, or its quota is used up ({code}): {key} was not stored.",
    "Make room or raise the quota, and run again.",
)
_BUSY = Meaning(
    StoreUnavailable,
    "The S3 server of bucket {bucket} could not answer the request ({code}).",
    "This may be temporary: run again later.",
)
_SPOILT = Meaning(
    StoreUnavailable, "What arrived at bucket {bucket} as {key} differs from what was sent ({code})."
)
_NO_LEDGER = Meaning(
    StoreUnsafe,
    "The S3 server of bucket {bucket} does not implement what a ledger needs ({code}): writes that fail if the key "
    "is taken (If-None-Match).",
    "Use a server that does, such as Amazon S3, Cloudflare R2, MinIO or SeaweedFS, or a folder (VIDEO_ARCHIVE_FOLDER).",
)
_ACCOUNT = Meaning(
    BucketRefused,
    "The account of bucket {bucket} cannot be used now ({code}).",
    "Check it in the provider's console: a payment or a confirmation may be missing.",
)
_KMS = Meaning(
    BucketRefused,
    "The KMS key that bucket {bucket} encrypts with cannot be used ({code}).",
    "Check that the key exists, is enabled, and that its policy lets these credentials use it.",
)
_FROZEN = Meaning(
    ArchiveError,
    "{key} in bucket {bucket} is in a storage class that must be restored before it can be read.",
    "Restore it (`aws s3api restore-object`), and run again.",
)

#: What each code means; several names of one thing share a line.
_TABLE: dict[str, Meaning] = {
    "PreconditionFailed": Meaning(Taken, "{key} is taken."),
    "ConditionalRequestConflict OperationAborted": Meaning(Contended, "{key} is being written."),
    "NoSuchBucket": Meaning(
        BucketRefused, "There is no bucket {bucket}: create it first, or choose another."
    ),
    "InvalidBucketName": Meaning(BucketRefused, "{bucket!r} is not the name of an S3 bucket."),
    "ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired": _EXPIRED,
    "PermanentRedirect Redirect AuthorizationHeaderMalformed IllegalLocationConstraintException": _ELSEWHERE,
    "AccessDenied AllAccessDisabled Forbidden Unauthorized UnauthorizedAccess InvalidToken": _KEYS,
    "InvalidAccessKeyId SignatureDoesNotMatch": _KEYS,
    "AccountProblem NotSignedUp InvalidPayer OptInRequired": _ACCOUNT,
    "QuotaExceeded AccountQuotaExceeded BucketQuotaExceeded StorageQuotaExceeded QuotaLimitExceeded": _FULL,
    "XMinioStorageFull XMinioAdminBucketQuotaExceeded StorageFull StorageLimitExceeded NoSpaceLeft": _FULL,
    "InsufficientStorage": _FULL,
    "BadDigest InvalidDigest XAmzContentSHA256Mismatch XAmzContentChecksumMismatch": _SPOILT,
    "NotImplemented": _NO_LEDGER,
    "SlowDown SlowDownRead SlowDownWrite RequestTimeout Throttling ThrottlingException": _BUSY,
    "TooManyRequests RequestLimitExceeded BandwidthLimitExceeded ServiceUnavailable InternalError Busy": _BUSY,
    "InvalidObjectState": _FROZEN,
}
MEANINGS = {code: meaning for codes, meaning in _TABLE.items() for code in codes.split()}
#: If the code says nothing.
_BY_STATUS = {
    301: _ELSEWHERE,
    307: _ELSEWHERE,
    401: _KEYS,
    403: _KEYS,
    409: Meaning(Contended, "{key} is being written."),
    412: MEANINGS["PreconditionFailed"],
    429: _BUSY,
    501: _NO_LEDGER,
    507: _FULL,
}
#: Messages of servers that have no code for it.
_SAYS_FULL = re.compile(r"storage cap exceeded|quota|storage (?:is )?full|no space left", re.IGNORECASE)
#: Codes that say no more than their status.
_PLAIN = frozenset({"", "409", "412"})


def server_time(headers: Mapping[str, str]) -> datetime:
    """The server's own clock; ours if a server does not send its time."""
    return told_time(headers) or datetime.now(UTC)


def told_time(headers: Mapping[str, str]) -> datetime | None:
    """The time in the header `Date`; None if it is missing or cannot be read."""
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, OverflowError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def status_of(error: aws.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: aws.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def translated(error: aws.ClientError, bucket: str, key: str) -> ArchiveError:
    """The error for an answer of the S3 server about this key."""
    code, status = code_of(error), status_of(error)
    if code == "RequestTimeTooSkewed":
        return _wrong_clock(error, bucket)
    said = one_line(str(error), 300)
    meaning = MEANINGS.get(code)
    if _SAYS_FULL.search(said) and status in {400, 402, 403, 507}:
        meaning = _FULL
    if status in {400, 501} and "if-none-match" in said.lower():
        meaning = _NO_LEDGER
    if meaning is None and code.startswith("KMS"):
        meaning = _BUSY if "Throttl" in code else _KMS
    if meaning is None and (status != 409 or code in _PLAIN):
        meaning = _BY_STATUS.get(status) or (_BUSY if status >= 500 else None)
    if meaning is None:
        return ArchiveError(f"The S3 server of bucket {bucket} refused {key}: {said}")
    what = meaning.what.format(bucket=bucket, key=key, code=code or status, said=said)
    return meaning.kind(what, remedy=meaning.remedy)


def _wrong_clock(error: aws.ClientError, bucket: str) -> BucketRefused:
    """S3 accepts no signature that is more than 15 minutes old or in the future."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    theirs, off = told_time(headers), "more than 15 minutes off"
    if theirs is not None:
        minutes = (datetime.now(UTC) - theirs).total_seconds() / 60
        off = f"{abs(minutes):.0f} minutes {'ahead' if minutes > 0 else 'behind'}"
    return BucketRefused(
        f"The clock of this machine is {off}, so the S3 server of bucket {bucket} refuses its signatures.",
        remedy="Set the clock (`timedatectl set-ntp true`), and run again.",
    )


_SSO = (aws.SSOTokenLoadError, aws.UnauthorizedSSOTokenError, aws.SSOError, aws.TokenRetrievalError)
#: Errors of `aws login`, which earlier versions of botocore do not know.
_LOGIN = tuple(
    kind for name in ("LoginError", "LoginTokenLoadError") if (kind := getattr(aws, name, None)) is not None
)
_NO_KEYS = (aws.NoCredentialsError, aws.PartialCredentialsError, aws.ProfileNotFound)
_SOURCE_FAILED = (
    aws.CredentialRetrievalError,
    aws.MetadataRetrievalError,
    aws.RefreshWithMFAUnsupportedError,
)


def without_answer(error: Exception, bucket: str, *, profile: str | None) -> VideoError:
    """The error for a call that never reached an S3 server, or got no answer from it.

    Args:
        profile: the AWS profile of the credentials, if it is not that of the environment.
    """
    profile = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    said = one_line(str(error), 300).rstrip(".")
    if isinstance(error, (*_SSO, *_LOGIN)):
        command = "aws sso login" if isinstance(error, _SSO) else "aws login"
        named = f" --profile {profile}" if profile else ""
        return ConfigurationError(
            f"The AWS sign-in for bucket {bucket} has expired ({said}).",
            remedy=f"Run {command}{named}, and run this again.",
        )
    if isinstance(error, _NO_KEYS):
        return ConfigurationError(
            f"There are no usable AWS credentials for bucket {bucket}: {said}. Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    if isinstance(error, _SOURCE_FAILED):
        return ConfigurationError(
            f"The source of the AWS credentials for bucket {bucket} returned none: {said}.",
            remedy="Check the profile, the role or the credential process that they come from.",
        )
    if isinstance(error, aws.ParamValidationError):
        return BucketRefused(f"{bucket!r} is not the name of an S3 bucket.")
    if isinstance(error, RecursionError) or isinstance(error.__context__, RecursionError):
        # boto3 reacts to a redirect by asking for the bucket's region, and that answer is a redirect, too.
        return ConfigurationError(
            f"The S3 server redirects all calls for bucket {bucket} but names no region: check the endpoint's address "
            "(http or https?)."
        )
    if isinstance(error, aws.SSLError):
        return StoreUnavailable(
            f"The S3 server of bucket {bucket} has a certificate that this machine does not trust: {said}.",
            remedy="Set AWS_CA_BUNDLE to the right certificates, and run again.",
        )
    if isinstance(error, aws.ProxyConnectionError):
        return StoreUnavailable(
            f"The proxy on the way to bucket {bucket} does not answer: {said}.",
            remedy="Check HTTPS_PROXY and NO_PROXY, and run again.",
        )
    return StoreUnavailable(
        f"The S3 server does not answer for bucket {bucket}: {said}.",
        remedy="Check the endpoint's address and the network, and run again.",
    )
