"""What can happen to the bucket and the server behind it, before anything is paid and after."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.endings import GONE_WELL, NOT_BEGUN, STUCK

pytestmark = pytest.mark.anyio

Expect = Callable[..., Any]

#: fault: (method, piece of the path, (status, code) or what the server does, how often), and the outcome.
CASES: dict[str, tuple[tuple[str, str, Any, int | None], dict[str, Any]]] = {
    "503 SlowDown each time": (
        ("*", "", (503, "SlowDown"), None),
        {**NOT_BEGUN, "reads": "could not answer the request (SlowDown)"},
    ),
    "403 AccessDenied from the start": (
        ("*", "", (403, "AccessDenied"), None),
        {**NOT_BEGUN, "reads": "refuses these credentials (AccessDenied)"},
    ),
    "403: the secret key is wrong": (
        ("*", "", (403, "SignatureDoesNotMatch"), None),
        {**NOT_BEGUN, "reads": "refuses these credentials"},
    ),
    "the bucket is in another region": (
        ("*", "", (400, "AuthorizationHeaderMalformed"), None),
        {**NOT_BEGUN, "reads": "set AWS_REGION"},
    ),
    "501: the server does not implement If-None-Match": (
        ("PUT", "", (501, "NotImplemented"), None),
        {**NOT_BEGUN, "reads": "does not implement what a ledger needs"},
    ),
    "403: the clock of this machine is wrong": (
        ("*", "", (403, "RequestTimeTooSkewed"), None),
        {**NOT_BEGUN, "reads": "The clock of this machine is"},
    ),
    "403: the quota is used up during the run": (
        ("PUT", ".mp4", (403, "QuotaExceeded"), None),
        {**STUCK, "reads": "is full, or its quota is used up"},
    ),
    "507: the storage is full during the run": (
        ("PUT", ".mp4", (507, "InsufficientStorage"), None),
        {**STUCK, "reads": "Make room or raise the quota"},
    ),
    "403: the KMS key is disabled": (
        ("PUT", "", (400, "KMS.DisabledException"), None),
        {**NOT_BEGUN, "reads": "The KMS key that bucket"},
    ),
    "503 SlowDown twice on the claim": (("PUT", "/claim.json", (503, "SlowDown"), 2), GONE_WELL),
    "503 SlowDown on each claim": (
        ("PUT", "/claim.json", (503, "SlowDown"), None),
        {**NOT_BEGUN, "sees": "skipped", "reads": "SlowDown"},
    ),
    "409 on the claim: another write is in progress": (
        ("PUT", "/claim.json", (409, "ConditionalRequestConflict"), 1),
        GONE_WELL,
    ),
    "the answers to the claim and to each retry by boto3 are lost": (
        ("PUT", "/claim.json", "lost", 1),
        GONE_WELL,
    ),
    "the answer to the job id is lost": (("PUT", "/job.json", "lost", 1), GONE_WELL),
    "the answer to the video is lost": (("PUT", ".mp4", "lost", 1), GONE_WELL),
    "the answer to the poster is lost": (("PUT", ".jpg", "lost", 1), GONE_WELL),
    "the answer to the record is lost": (("PUT", "/records/", "lost", 1), GONE_WELL),
    "the bucket never accepts the job id": (("PUT", "/job.json", (503, "SlowDown"), None), GONE_WELL),
    "the bucket accepts nothing after the job is made": (
        ("PUT", "o", "after the claim", None),
        {
            **STUCK,
            "bucket": "inflight: claim; on this machine: job id",
            "reads": "could not answer the request (InternalError)",
        },
    ),
    "500 twice on the video": (("PUT", ".mp4", (500, "InternalError"), 2), GONE_WELL),
    "500 on the video, each time": (
        ("PUT", ".mp4", (500, "InternalError"), None),
        {**STUCK, "reads": "could not answer the request (InternalError)"},
    ),
    "the connection breaks during the upload": (("PUT", ".mp4", "reset", 1), GONE_WELL),
    "403 AccessDenied during the run": (
        ("PUT", ".mp4", (403, "AccessDenied"), None),
        {**STUCK, "reads": "refuses these credentials"},
    ),
    "ExpiredToken during the run": (
        ("PUT", ".mp4", (400, "ExpiredToken"), None),
        {**STUCK, "reads": "have expired. Renew them and run again: it resumes where it stopped."},
    ),
    "the bucket is deleted during the run": (
        ("PUT", ".mp4", (404, "NoSuchBucket"), None),
        {**STUCK, "reads": "There is no bucket"},
    ),
    "the bucket receives other bytes than were sent, once": (("PUT", ".mp4", "spoil", 1), GONE_WELL),
    "the bucket receives other bytes than were sent, each time": (
        ("PUT", ".mp4", "spoil", None),
        {**STUCK, "reads": "differs from what was sent (BadDigest)"},
    ),
    "500 on the poster, each time": (
        ("PUT", ".jpg", (500, "InternalError"), None),
        {**GONE_WELL, "bucket": "records: archived; videos: mp4"},
    ),
    "500 on the record, each time": (
        ("PUT", "/records/", (500, "InternalError"), None),
        {**STUCK, "bucket": "inflight: claim, job; videos: jpg, mp4", "reads": "InternalError"},
    ),
    "403 on deleting, from the start": (
        ("DELETE", "", (403, "AccessDenied"), None),
        {**NOT_BEGUN, "reads": "refuses these credentials (AccessDenied)"},
    ),
    "503 SlowDown on the clean-up": (
        ("POST", "?delete", (503, "SlowDown"), None),
        {
            "sees": "archived",
            "bucket": "inflight: claim, job; records: archived; videos: jpg, mp4",
            "then": "reused",
        },
    ),
}

#: Where the server does not verify checksums, what was written is read back.
UNVERIFIED: dict[str, tuple[tuple[str, str, Any, int | None], dict[str, Any]]] = {
    "a server that verifies nothing stores other bytes, once": (("PUT", ".mp4", "spoil", 1), GONE_WELL),
    "a server that verifies nothing stores other bytes, each time": (
        ("PUT", ".mp4", "spoil", None),
        {**STUCK, "reads": "differs from what was sent; it was removed again"},
    ),
}


@pytest.mark.parametrize("fault", CASES)
async def test_the_bucket_may_fail_at_any_write(
    scene: Any, expect: Expect, strikes: Any, s3_says: Callable[[int, str], Any], fault: str
) -> None:
    """Before the create nothing is paid; after it the job stays in flight, and the next run resumes it."""
    (method, piece, verdict, times), outcome = CASES[fault]
    if isinstance(verdict, tuple):
        verdict = s3_says(*verdict)
    elif verdict == "after the claim":
        broken = s3_says(500, "InternalError")
        verdict = lambda: broken if scene.api.bill()["jobs"] else None  # noqa: E731
    await expect("s3", fault, strike=strikes.at(method, piece, verdict, times), **outcome)


@pytest.mark.parametrize("behind", ["moto"], indirect=True)
@pytest.mark.parametrize("fault", UNVERIFIED)
async def test_what_is_stored_is_read_back(expect: Expect, strikes: Any, fault: str) -> None:
    """Other bytes under the key are seen and removed again, before any record says that it is archived."""
    arguments, outcome = UNVERIFIED[fault]
    await expect("s3", fault, strike=strikes.at(*arguments), **outcome)


async def test_a_missing_bucket_is_told_first(scene: Any, expect: Expect) -> None:
    """The name is a slip of the pen: nothing is sent, and no bucket is made."""
    right, scene.archive = (
        scene.archive,
        scene.archive.model_copy(update={"bucket": f"absent-{uuid4().hex[:12]}"}),
    )

    async def first() -> Any:
        told = await scene.run()
        assert scene.archive.bucket not in str(scene.place.client.list_buckets()["Buckets"])
        scene.archive = right
        return told

    await expect("s3", "the bucket does not exist", first=first, **{**NOT_BEGUN, "reads": "create it first"})


async def test_a_server_that_is_away_is_told_first(scene: Any, expect: Expect) -> None:
    """Nobody listens at the address of the S3 server."""
    right = scene.archive
    scene.impatient_s3(endpoint="http://127.0.0.1:9")

    async def first() -> Any:
        told = await scene.run()
        scene.archive = right
        return told

    words = {**NOT_BEGUN, "reads": "does not answer"}
    await expect("s3", "no connection to the S3 server", first=first, **words)


@pytest.mark.parametrize("behind", ["moto"], indirect=True)
async def test_a_store_without_conditions_is_refused(scene: Any, expect: Expect) -> None:
    """Where If-None-Match is ignored no claim would hold: two runs could pay for the same video."""
    scene.s3.without = {"if-none-match"}
    await expect(
        "s3", "the server ignores If-None-Match", **{**NOT_BEGUN, "reads": "Use a server that honours it"}
    )


async def test_an_answer_that_never_comes_is_asked_again(scene: Any, expect: Expect, strikes: Any) -> None:
    """The server takes the upload and says nothing for longer than boto3 waits."""
    scene.impatient_s3(read_timeout=1.5)
    over = threading.Event()
    slow = strikes.at("PUT", ".mp4", lambda: over.wait(20) and None, 1)
    try:
        await expect(
            "s3", "the server accepts the video and does not answer in time", strike=slow, **GONE_WELL
        )
    finally:
        over.set()


async def test_boto3_repeats_a_lost_answer_itself(scene: Any, expect: Expect, strikes: Any) -> None:
    """Its own repetition finds what it wrote (412), and that is compared, not taken for another's."""
    scene.impatient_s3(retries={"mode": "standard", "total_max_attempts": 2})
    lost = strikes.at("PUT", ".mp4", "lost", 1)
    await expect(
        "s3", "the answer to the video is lost, and boto3 repeats the call", strike=lost, **GONE_WELL
    )


async def test_a_fact_that_is_no_fact_is_left_alone(scene: Any, expect: Expect) -> None:
    """Somebody wrote over the record's place: nothing is bought, and the object is named."""
    key = f"records/{scene.plan.id}.json"
    scene.place.write(key, b"{}")

    async def first() -> Any:
        told = await scene.run()
        scene.place.remove(key)
        return told

    words = {**NOT_BEGUN, "sees": "ambiguous", "reads": "is not what this project wrote"}
    await expect("s3", "something else is in the record's place", first=first, **words)


async def test_another_file_under_the_key_is_not_overwritten(scene: Any, expect: Expect) -> None:
    """What lies under the video's key and is no video stays; the job stays in flight."""
    scene.archive = scene.archive.model_copy(update={"template": "{id}"})
    key = f"videos/{scene.plan.id}.mp4"
    scene.place.write(key, b"notes")

    async def first() -> Any:
        told = await scene.run()
        assert scene.place.read(key) == b"notes"
        return told

    words = {**STUCK, "bucket": "inflight: claim, job; videos: mp4", "reads": "differs from the download"}
    await expect(
        "s3",
        "another file has the video's key",
        first=first,
        **{**words, "then": "submitted", "work": "1 download"},
    )
