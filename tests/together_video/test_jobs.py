"""Jobs: both generations of answers, and everything else that may come back."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.job_status import TERMINAL, JobStatus, status_of
from together_video.jobs import JobFault, VideoJob
from together_video.ledger.records import Submission

#: The answer that the documents of 2025 show.
OLD: dict[str, Any] = {
    "id": "019a0068-794a-7213-90f6-cc4eb62e3da7",
    "model": "minimax/video-01-director",
    "status": "completed",
    "info": {"user_id": "66f0bd504fb9511df3489b9a", "errors": None},
    "inputs": {"fps": None, "height": 768, "metadata": {}, "seconds": None, "width": 1366},
    "outputs": {"cost": 0.28, "video_url": "https://api.together.ai/shrt/DwlaBdSakNRFlBxN"},
    "created_at": "2025-10-20T06:57:18.154804Z",
    "claimed_at": "0001-01-01T00:00:00Z",
    "done_at": "2025-10-20T07:00:12.234472Z",
}

#: An answer as the OpenAPI document of 2026 has it.
NEW: dict[str, Any] = {
    "id": "video_1",
    "object": "video",
    "model": "together/video-model",
    "status": "completed",
    "created_at": 1_760_943_438,
    "completed_at": 1_760_943_612,
    "size": "1366x768",
    "seconds": "6",
    "outputs": {"cost": 1, "video_url": "https://api.together.ai/shrt/x"},
}


def job(**answer: Any) -> VideoJob:
    return VideoJob.from_json({"id": "j", **answer})


def test_the_older_generation_is_read() -> None:
    """ISO times, `info`, `inputs`, a fractional cost."""
    read = VideoJob.from_json(OLD)
    assert read == VideoJob(
        id="019a0068-794a-7213-90f6-cc4eb62e3da7",
        status=JobStatus.COMPLETED,
        status_text="completed",
        model="minimax/video-01-director",
        cost_usd=Decimal("0.28"),
        video_url="https://api.together.ai/shrt/DwlaBdSakNRFlBxN",
        created_at=datetime(2025, 10, 20, 6, 57, 18, 154804, UTC),
        finished_at=datetime(2025, 10, 20, 7, 0, 12, 234472, UTC),
        raw=OLD,
    )


def test_the_newer_generation_is_read() -> None:
    """Unix seconds, a whole cost, the length as text."""
    read = VideoJob.from_json(NEW)
    assert read == VideoJob(
        id="video_1",
        status=JobStatus.COMPLETED,
        status_text="completed",
        model="together/video-model",
        cost_usd=Decimal(1),
        video_url="https://api.together.ai/shrt/x",
        created_at=datetime(2025, 10, 20, 6, 57, 18, tzinfo=UTC),
        finished_at=datetime(2025, 10, 20, 7, 0, 12, tzinfo=UTC),
        seconds=6.0,
        raw=NEW,
    )


def test_an_id_alone_is_a_job() -> None:
    """Nothing else is relied on; the job counts as unfinished."""
    read = job()
    assert (read.id, read.status, read.is_terminal) == ("j", JobStatus.UNKNOWN, False)
    assert read.raw == {"id": "j"}


@pytest.mark.parametrize(
    ("text", "status", "terminal"),
    [
        ("queued", JobStatus.QUEUED, False),
        ("in_progress", JobStatus.IN_PROGRESS, False),
        ("completed", JobStatus.COMPLETED, True),
        ("failed", JobStatus.FAILED, True),
        ("cancelled", JobStatus.CANCELLED, True),
        ("canceled", JobStatus.CANCELLED, True),
        (" Completed ", JobStatus.COMPLETED, True),
        ("moderating", JobStatus.UNKNOWN, False),
        ("", JobStatus.UNKNOWN, False),
        (None, JobStatus.UNKNOWN, False),
        (3, JobStatus.UNKNOWN, False),
        (["completed"], JobStatus.UNKNOWN, False),
    ],
)
def test_a_status_is_known_or_not_finished_yet(text: object, status: JobStatus, terminal: bool) -> None:
    """Both spellings of cancelled. An unknown state never ends a wait."""
    read = job(status=text)
    assert (read.status, read.is_terminal) == (status, terminal)


def test_only_three_states_are_final() -> None:
    """Unknown is not among them."""
    assert {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED} == TERMINAL


def test_an_unknown_status_is_kept_in_its_own_words() -> None:
    """So that a log can say what the service said."""
    assert job(status="moderating").status_text == "moderating"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"error": {"code": "invalidDuration", "message": "too long"}}, ("too long", "invalidDuration")),
        ({"error": {"message": "too long"}}, ("too long", None)),
        ({"error": {"message": "too long", "type": "bad"}}, ("too long", "bad")),
        ({"error": {"code": "x"}}, ('{"code": "x"}', "x")),
        ({"error": "too long"}, ("too long", None)),
        ({"info": {"errors": ["first", "second"]}}, ("first; second", None)),
        ({"info": {"errors": [{"code": "a", "message": "b"}, "c"]}}, ("b; c", "a")),
        ({"info": {"errors": {"code": "unsupportedParameter", "message": "b"}}}, ("b", "unsupportedParameter")),
        ({"info": {"errors": "text"}}, ("text", None)),
        ({"error": None, "info": {"errors": "old"}}, ("old", None)),
        ({"error": {}, "info": {"errors": "old"}}, ("old", None)),
        ({"error": {"message": "new"}, "info": {"errors": "old"}}, ("new", None)),
        ({"error": {"message": ["odd"], "code": 7}}, ('["odd"]', "7")),
        ({"info": {"errors": None}}, None),
        ({"info": {"errors": []}}, None),
        ({"info": {"errors": ["", "  ", None, {}]}}, None),
        ({"info": "odd"}, None),
        ({"error": None, "info": None}, None),
    ],
)  # fmt: skip
def test_a_reason_is_found_wherever_it_stands(
    answer: dict[str, Any], fault: tuple[str, str | None] | None
) -> None:
    """`error` of the newer format first, then `info.errors` of the older: list, dict or text."""
    expected = JobFault(message=fault[0], code=fault[1]) if fault else None
    assert job(**answer).fault == expected


def test_a_failure_is_told_in_one_line() -> None:
    """With its code if there is one, and in a sentence if there is no reason at all."""
    assert job(error={"code": "a", "message": "b"}).fault_text == "b (a)"
    assert job(error="b").fault_text == "b"
    assert job(error="\x1b").fault_text == "a reason that cannot be printed"
    assert job(status="cancelled").fault_text == "the provider reports it as cancelled and gives no reason"
    assert job().fault_text == "the provider reports it as unknown and gives no reason"


@pytest.mark.parametrize(
    ("cost", "usd"),
    [
        (1, "1"),
        (0, "0"),
        (0.28, "0.28"),
        (0.1, "0.1"),
        ("0.280", "0.280"),
        (" 2 ", "2"),
        (None, None),
        (True, None),
        ("free", None),
        ("", None),
        ([1], None),
        ({"usd": 1}, None),
        (float("nan"), None),
        (float("inf"), None),
        ("-Infinity", None),
        ("1e99999999", None),
        ("1e-99999999", None),
        (10**400, None),
        (-0.28, None),
        (-100, None),
        ("-1e-9", None),
    ],
)
def test_a_cost_is_an_exact_amount_or_unknown(cost: object, usd: str | None) -> None:
    """Numbers keep the digits in which they were written; nothing absurd gets into sums."""
    found = job(outputs={"cost": cost}).cost_usd
    assert found == (None if usd is None else Decimal(usd))
    assert usd is None or str(found) == usd


@pytest.mark.parametrize("outputs", [None, {}, [], "x", {"cost": None, "video_url": None}, {"video_url": ""}])
def test_outputs_may_be_missing(outputs: object) -> None:
    """Null until the job is done, and sometimes after."""
    read = job(status="completed", outputs=outputs)
    assert (read.cost_usd, read.video_url) == (None, None)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2025-10-20T06:57:18Z", datetime(2025, 10, 20, 6, 57, 18, tzinfo=UTC)),
        ("2025-10-20T08:57:18+02:00", datetime(2025, 10, 20, 6, 57, 18, tzinfo=UTC)),
        ("2025-10-20T06:57:18", datetime(2025, 10, 20, 6, 57, 18, tzinfo=UTC)),
        (1_760_943_438, datetime(2025, 10, 20, 6, 57, 18, tzinfo=UTC)),
        (1_760_943_438.5, datetime(2025, 10, 20, 6, 57, 18, 500_000, UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        (1e300, None),
        (10**400, None),
        (float("nan"), None),
        ({}, None),
    ],
)
def test_times_are_iso_or_unix_seconds(value: object, moment: datetime | None) -> None:
    """All in UTC; year 1 is the service's way of saying that there is none."""
    assert job(created_at=value).created_at == moment
    assert job(completed_at=value).finished_at == moment


def test_the_end_is_done_at_or_completed_at() -> None:
    """`done_at` that says "none" leaves the word to `completed_at`."""
    assert job(done_at="0001-01-01T00:00:00Z", completed_at=1).finished_at == datetime(
        1970, 1, 1, 0, 0, 1, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("seconds", "read"), [(6, 6.0), ("6", 6.0), ("5.5", 5.5), (None, None), ("six", None), ("1e400", None)]
)
def test_a_length_is_a_number_text_or_nothing(seconds: object, read: float | None) -> None:
    """The formats disagree; a length that is none is unknown."""
    assert job(seconds=seconds).seconds == read


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (7, "7"), (1.5, "1.5"), (False, "false"), ([1], "[1]")]
)
def test_an_id_of_any_kind_is_an_id(value: object, text: str) -> None:
    """It is all that a paid job can be found by."""
    assert VideoJob.from_json({"id": value}).id == text


@pytest.mark.parametrize("answer", [{}, {"id": None}, {"id": ""}, {"job": "x"}, [], ["id"], "id", None, 3])
def test_an_answer_without_an_id_is_refused(answer: object) -> None:
    """The only thing that raises."""
    with pytest.raises(ValueError, match=r"^the answer "):
        VideoJob.from_json(answer)


def test_the_answer_that_was_passed_in_is_left_as_it_was() -> None:
    """`raw` is a copy, so later changes of the answer do not reach the job."""
    answer = {"id": "j", "outputs": {"cost": 1}}
    read = VideoJob.from_json(answer)
    answer["outputs"]["cost"] = 2
    assert read.raw == {"id": "j", "outputs": {"cost": 1}}


def stored(read: VideoJob) -> Submission:
    """The job as the ledger writes it, read back."""
    written = Submission(
        id="a" * 24, token="0" * 32, job_id=read.id, submitted_at=datetime.now(UTC), answer=read.raw
    ).model_dump_json()
    return Submission.model_validate_json(written.encode())


def test_raw_keeps_all_that_json_can_hold() -> None:
    """Unknown fields, nulls, big numbers, emoji: as they came."""
    answer = {"id": "j", "new": {"deep": [1, 2.5, None, True, 10**40, "🦊"]}}
    assert VideoJob.from_json(answer).raw == answer
    assert stored(VideoJob.from_json(answer)).answer == answer


def test_raw_of_a_huge_answer_is_its_short_parts_and_a_digest() -> None:
    """A record must stay small; what says which answer it was, and all that is short, stays."""
    answer = {"id": "j", "padding": "x" * 10**6, "outputs": {"cost": 0.28}, "status": "completed"}
    answer |= {f"field {number}": "y" * 3000 for number in range(100)}
    read = VideoJob.from_json(answer)
    assert len(json.dumps(read.raw)) <= 64_000
    assert (read.raw["id"], read.raw["status"], read.raw["outputs"]) == ("j", "completed", {"cost": 0.28})
    assert "padding" not in read.raw
    assert read.raw["sha256"] == hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()
    assert str(read.cost_usd) == "0.28"
    assert stored(read).answer == read.raw


def test_words_of_a_huge_answer_are_cut() -> None:
    """They stand in logs, errors and records."""
    error = {"code": "c" * 10**6, "message": "m" * 10**6}
    read = VideoJob.from_json({"id": "j", "status": "s" * 10**6, "model": "n" * 10**6, "error": error})
    assert read.fault is not None
    assert len(read.model_dump_json()) < 20_000


@pytest.mark.parametrize(
    "job_id", ["x" * 2001, "ü" * 400, "..", ".", "\0" * 700], ids=["long", "ü", "..", ".", "0"]
)
def test_an_id_that_no_request_can_carry_is_none(job_id: str) -> None:
    """It was perhaps paid for, and nobody could ask for it: said at once, not when it is polled."""
    with pytest.raises(ValueError, match="does not fit into a request"):
        VideoJob.from_json({"id": job_id})


def test_raw_drops_what_could_not_be_stored() -> None:
    """Half characters, NaN and endless numbers must not keep a job id out of the ledger."""
    text = '{"id": "j", "a": "x\\ud83e", "\\udc00": 1, "b": [NaN, Infinity, -Infinity]}'
    read = VideoJob.from_json({**json.loads(text), "c": 10**5000})
    expected = {
        "id": "j",
        "a": "x?",
        "?": 1,
        "b": ["nan", "inf", "-inf"],
        "c": "(a number too long to be kept)",
    }
    assert read.raw == expected
    assert stored(read).answer == expected


@pytest.mark.parametrize("depth", [10, 63, 64, 65, 200, 255, 900, 50_000])
@pytest.mark.parametrize("name", ["other", "id", "error", "status", "outputs", "info"])
@pytest.mark.parametrize("kind", ["list", "object"])
def test_nothing_is_nested_too_deeply(depth: int, name: str, kind: str) -> None:
    """However deep an answer is, it is a job, and the ledger can write and read it."""
    value: Any = "bottom"
    for _ in range(depth):
        value = [value] if kind == "list" else {"errors": value}
    read = VideoJob.from_json({"id": "j", name: value})
    assert stored(read).answer == read.raw
    assert ("bottom" in json.dumps(read.raw)) is (depth < 64)
    while isinstance(value, list | dict):  # Freed level by level: a destructor has no more stack than we.
        value = value[0] if isinstance(value, list) else value["errors"]


TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
NUMBERS = (
    st.integers()
    | st.integers(-3, 5000).map(lambda power: 10**power if power >= 0 else -(10**-power))
    | st.floats(allow_nan=True, allow_infinity=True)
)
KNOWN = st.sampled_from(
    ["id", "status", "error", "info", "errors", "outputs", "cost", "video_url", "code", "message", "type"]
)
WORDS = st.sampled_from(
    [
        "completed",
        "failed",
        "canceled",
        "0001-01-01T00:00:00-23:59",
        "9999-12-31T23:59:59-12:00",
        "1e400",
        "-0",
    ]
)
ANY = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KNOWN | TEXT, inner, max_size=4),
    max_leaves=15,
)
ANSWERS = st.fixed_dictionaries(
    {"id": ANY.filter(lambda value: value is not None and value != "")},
    optional=dict.fromkeys(sorted({*OLD, *NEW, "error"} - {"id"}), ANY),
)


@given(ANSWERS)
def test_no_object_with_an_id_makes_it_raise(answer: dict[str, Any]) -> None:
    """Whatever JSON came: there is a job, its id is text, and the ledger can store and read it."""
    try:
        read = VideoJob.from_json(answer)
    except ValueError as error:
        # Only of an id that fits into no address.
        assert "job id of" in str(error)  # noqa: PT017
        assert len(json.dumps(answer["id"], default=repr)) > 300
        return
    assert read.id
    assert isinstance(read.is_terminal, bool)
    assert read.fault_text
    assert read.cost_usd is None or abs(read.cost_usd) < 10**16
    again = stored(read)
    assert again.job_id == read.id
    assert VideoJob.from_json({"id": read.id, **again.answer}) == VideoJob.from_json(read.raw)


WORDS = {
    "queued": "queued, Pending, IN_QUEUE, submitted, not-started",
    "in_progress": "in_progress, In Progress, processing, RUNNING, rendering, job_state_running",
    "completed": "completed, Succeeded, SUCCESS, done, finished, JOB_STATE_SUCCEEDED, task.done",
    "failed": "failed, error, EXPIRED, rejected, moderated, content_moderated, moderation-rejected, timed out, "
    "TIMED_OUT, timeout, internal_error, nsfw, invalid, job_state_failed, PROCESSING_FAILED, rendering_failed, "
    "moderating_failed, content_policy_violated, "
    "JobFailed, contentModerated, failed(nsfw), [failed], unsuccessful, FAILED: refunded, error_429",
    "cancelled": "cancelled, canceled, aborted, user_cancelled, terminated",
    "unknown": "dreaming, , paused, retrying, moderating, retry_after_error, expiring, failed_retrying, cancelling, "
    "42, partially_failed, blocked, no_error, not_failed, error_free, queued_previous_failed, in_progress_0_failed, "
    "timeout_extended, expired_soon, error_check, failed_once, queued_after_timeout, COMPLETED_WITH_ERROR, not_found",
}


@pytest.mark.parametrize("status", WORDS)
def test_a_word_for_a_status_is_understood(status: str) -> None:
    """Case, spaces and prefixes do not matter. A running state is not final, and unknown states are waited for."""
    words = WORDS[status].split(", ")
    assert {word: status_of(word).value for word in words} == dict.fromkeys(words, status)
    assert status_of(None) is status_of(7) is JobStatus.UNKNOWN


def test_a_cost_of_millions_of_digits_is_rounded() -> None:
    """It would be kept in each record, and printed."""
    read = VideoJob.from_json({"id": "j", "outputs": {"cost": "0.28" + "1" * 1_000_000}})
    assert read.cost_usd == Decimal("0.281111111111")
