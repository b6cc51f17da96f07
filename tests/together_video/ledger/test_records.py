"""Records: the name of a purchase, what the facts add up to, and where each of them lies."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.facts import claim_of, record_of
from together_video.errors import ConfigurationError, InputError
from together_video.jobs import VideoJob
from together_video.ledger.layout import DEFAULT_TEMPLATE, Layout, check_prefix, check_template, slug_of
from together_video.ledger.records import (
    Ambiguity,
    Claim,
    LedgerState,
    Origin,
    RunRef,
    StoredObject,
    Submission,
    VideoPlan,
    VideoRecord,
    edition_name,
    state_of,
    video_id,
)
from together_video.media.clips import ClipInfo
from together_video.requests import VideoRequest

NOW = datetime(2026, 11, 20, 23, 59, 58, tzinfo=UTC)
FOX = VideoRequest(model="m", prompt="A fox in the snow", seconds="5", extra={"settings": {"audio": True}})
PLAN = VideoPlan(
    request=FOX,
    take=2,
    edition="2026-11-20",
    attempt=3,
    origin=Origin(brief_id="b", chat_model="c"),
    batch_id="batch",
    estimate_usd=Decimal("0.10"),
)
CLAIM = claim_of(
    PLAN,
    claimed_at=NOW,
    run=RunRef(flow_run_id="f", flow_run_name="n", host="h"),
)
SUBMISSION = Submission(
    id=PLAN.id, token="0" * 32, job_id="j", submitted_at=NOW, answer={"id": "j", "x": [1, None]}
)
AMBIGUITY = Ambiguity(id=PLAN.id, token="0" * 32, found_at=NOW, reason="no answer", status=500, body="oops")
RECORD = record_of(
    PLAN,
    state="archived",
    job_id="j",
    claimed_at=NOW,
    submitted_at=NOW,
    recorded_at=NOW,
    cost_usd=Decimal("0.280"),
    video=StoredObject(key="videos/v.mp4", size=3, sha256="00", content_type="video/mp4"),
    poster=StoredObject(key="videos/v.jpg", size=3, sha256="00", content_type="image/jpeg"),
    clip=ClipInfo(seconds=5.04, width=64, height=48, fps=24, codec="h264", has_audio=True),
    notes=("shorter than asked",),
    error="e",
    error_code="c",
    job={"id": "j"},
)
FACTS: list[BaseModel] = [PLAN, CLAIM, SUBMISSION, AMBIGUITY, RECORD]


def test_an_id_never_changes_between_versions() -> None:
    """What lies in buckets was named by this rule: another one would buy everything again."""
    plain = VideoRequest(model="m", prompt="A fox")
    assert video_id(plain) == "ce401a53097afd3939cbbcc5"
    assert video_id(plain, attempt=2) == "db896c431f6a13163265d70e"


def test_take_edition_and_attempt_name_other_purchases() -> None:
    """Each of them alone makes another id; the defaults are those of a plan."""
    ids = [
        video_id(FOX),
        video_id(FOX, take=2),
        video_id(FOX, edition="2026-11-20"),
        video_id(FOX, attempt=2),
        video_id(FOX, attempt=3),
        video_id(VideoRequest(model="m", prompt="A cat")),
    ]
    assert len(set(ids)) == len(ids)
    assert VideoPlan(request=FOX).id == video_id(FOX) == video_id(FOX, attempt=1)
    assert PLAN.id == video_id(FOX, take=2, edition="2026-11-20", attempt=3)


def test_an_id_does_not_depend_on_what_is_beside_the_request() -> None:
    """The estimate, the batch or the brief may differ: it is the same purchase."""
    other = PLAN.model_copy(update={"origin": None, "batch_id": None, "estimate_usd": None})
    assert other.id == PLAN.id


PURCHASES = st.tuples(
    st.integers(1, 30), st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=8),
    st.integers(1, 30),
)  # fmt: skip


@given(PURCHASES, PURCHASES)
def test_two_purchases_share_an_id_only_if_they_are_one(
    one: tuple[int, str, int], other: tuple[int, str, int]
) -> None:
    """No take, edition and attempt can be written so that they look like others."""
    ids = [
        video_id(FOX, take=take, edition=edition, attempt=attempt) for take, edition, attempt in (one, other)
    ]
    assert (ids[0] == ids[1]) is (one == other)
    assert all(re.fullmatch(r"[0-9a-f]{24}", found) for found in ids)


@pytest.mark.parametrize(
    ("edition", "name"),
    [
        ("daily", "2026-11-20"),
        ("hourly", "2026-11-20T23"),
        ("once", "once"),
        ("spring campaign", "spring campaign"),
        ("Daily", "Daily"),
        ("daily@Europe/Berlin", "2026-11-21"),
        ("daily@America/New_York", "2026-11-20"),
        ("daily@UTC", "2026-11-20"),
        ("weekly@home", "weekly@home"),
    ],
)
def test_an_edition_is_the_day_the_hour_or_itself(edition: str, name: str) -> None:
    """By the moment that is passed in, which is the scheduled one."""
    assert edition_name(edition, NOW) == name


def test_the_next_second_is_the_next_edition() -> None:
    """Two seconds after 23:59:58 a daily and an hourly schedule buy again."""
    later = NOW + timedelta(seconds=2)
    assert edition_name("daily", later) == "2026-11-21"
    assert edition_name("hourly", later) == "2026-11-21T00"


@pytest.mark.parametrize(
    "zone", ["", "Nowhere", "../../etc/passwd", "/etc/passwd", "Europe", "²", "Europe/Berlin "]
)
def test_a_time_zone_that_nobody_knows_is_named(zone: str) -> None:
    with pytest.raises(InputError, match="does not name a time zone"):
        edition_name(f"daily@{zone}", NOW)


def test_a_schedule_near_midnight_has_each_local_day_once() -> None:
    """At 01:30 in Berlin, in the weeks around both changes of clocks: no day is skipped, and none comes twice."""
    berlin = ZoneInfo("Europe/Berlin")
    for first in (datetime(2026, 3, 20, 1, 30, tzinfo=berlin), datetime(2026, 10, 20, 1, 30, tzinfo=berlin)):
        runs = [(first + timedelta(days=day)).astimezone(UTC) for day in range(14)]
        names = [edition_name("daily@Europe/Berlin", run) for run in runs]
        assert names == [f"{first + timedelta(days=day):%Y-%m-%d}" for day in range(14)]


FAILED = RECORD.model_copy(update={"state": "failed"})
ABANDONED = RECORD.model_copy(update={"state": "abandoned"})


@pytest.mark.parametrize(
    "record", [None, RECORD, FAILED, ABANDONED], ids=["-", "archived", "failed", "abandoned"]
)
@pytest.mark.parametrize("submission", [None, SUBMISSION], ids=["-", "job"])
@pytest.mark.parametrize("ambiguity", [None, AMBIGUITY], ids=["-", "ambiguous"])
@pytest.mark.parametrize("claim", [None, CLAIM], ids=["-", "claim"])
@pytest.mark.parametrize("age", [None, 0.0, 250.0, 250.1])
def test_what_the_facts_add_up_to(
    record: VideoRecord | None,
    submission: Submission | None,
    ambiguity: Ambiguity | None,
    claim: Claim | None,
    age: float | None,
) -> None:
    """A record wins over a job, a job over an ambiguity; an old claim without either is ambiguous."""
    state = state_of(record=record, submission=submission, ambiguity=ambiguity, claim=claim, claim_age=age)
    if record is not None:
        assert state.value == record.state
    elif submission is not None:
        assert state is LedgerState.SUBMITTED
    elif ambiguity is not None:
        assert state is LedgerState.AMBIGUOUS
    elif claim is None:
        assert state is LedgerState.ABSENT
    else:
        assert state is (LedgerState.AMBIGUOUS if age == 250.1 else LedgerState.CLAIMED)


def test_every_final_state_of_a_record_is_a_state_of_the_ledger() -> None:
    """None of them could be written and then not be read."""
    states = set(get_args(VideoRecord.model_fields["state"].annotation))
    assert states == {"archived", "failed", "abandoned"}
    assert states <= {state.value for state in LedgerState}


def test_a_submission_answers_a_claim() -> None:
    """Its id and token are the claim's, its job the provider's, its answer the raw JSON."""
    made = Submission.of(CLAIM, VideoJob.from_json({"id": "j", "new": 1}))
    assert (made.id, made.token, made.job_id) == (CLAIM.id, "0" * 32, "j")
    assert made.answer == {"id": "j", "new": 1}
    assert abs((datetime.now(UTC) - made.submitted_at).total_seconds()) < 60


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_a_fact_is_the_same_after_the_bucket(fact: BaseModel) -> None:
    """Written as JSON and read back: times, amounts and the id included."""
    again = type(fact).model_validate_json(fact.model_dump_json())
    assert again == fact
    assert again.model_dump_json() == fact.model_dump_json()


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_fields_of_a_newer_writer_are_ignored(fact: BaseModel) -> None:
    """An older worker reads what a newer one wrote, on every level but the request itself."""

    def with_more(value: Any, name: str = "") -> Any:
        if isinstance(value, dict) and name not in {"request", "answer", "job"}:
            return {**{key: with_more(inner, key) for key, inner in value.items()}, "from_tomorrow": 1}
        return value

    newer = json.dumps(with_more(json.loads(fact.model_dump_json())))
    assert "from_tomorrow" in newer
    assert type(fact).model_validate_json(newer) == fact


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_a_fact_needs_no_more_than_it_needed_before(fact: BaseModel) -> None:
    """Facts that an older writer left without the optional fields are read."""
    required = {name for name, field in type(fact).model_fields.items() if field.is_required()}
    least = {name: value for name, value in json.loads(fact.model_dump_json()).items() if name in required}
    assert type(fact).model_validate_json(json.dumps(least))


@pytest.mark.parametrize(
    "wrong", [{"take": 0}, {"attempt": 0}, {"edition": ""}, {"edition": "e" * 101}, {"request": None}]
)
def test_a_plan_has_bounds(wrong: dict[str, Any]) -> None:
    """Takes and attempts count from 1, an edition has a name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        VideoPlan.model_validate({"request": FOX, **wrong})


@pytest.mark.parametrize(
    ("prompt", "slug"),
    [
        ("A fox in the snow", "a-fox-in-the-snow"),
        ("Füchse & Bären!", "fuchse-baren"),
        ("../../etc/passwd", "etc-passwd"),
        ("<script>alert(1)</script>", "script-alert-1-script"),
        ("🦊", "video"),
        ("\x00\x1b[31m", "31m"),
        ("&#46;&#46;&#47;x", "x"),
    ],
)
def test_a_slug_is_readable_and_harmless(prompt: str, slug: str) -> None:
    """Letters, digits and dashes, whatever the prompt holds."""
    assert slug_of(VideoRequest(model="m", prompt=prompt)) == slug


def test_a_slug_without_a_prompt_names_the_model() -> None:
    """Models that take only images have no prompt."""
    assert slug_of(VideoRequest(model="kwaivgI/kling-2.1-pro")) == "kwaivgi-kling-2-1-pro"
    assert slug_of(VideoRequest(model="🦊")) == "video"


@pytest.mark.parametrize("prefix", ["", "runs/2026"])
def test_every_fact_has_its_place(prefix: str) -> None:
    """The layout that the documentation shows, with and without a prefix."""
    layout, root = Layout(prefix=prefix), f"{prefix}/" if prefix else ""
    assert layout.inflight == f"{root}inflight/"
    assert layout.claim("v") == f"{root}inflight/v/claim.json"
    assert layout.job("v") == f"{root}inflight/v/job.json"
    assert layout.ambiguous("v") == f"{root}inflight/v/ambiguous.json"
    assert layout.record("v") == f"{root}records/v.json"
    assert layout.brief("b") == f"{root}briefs/b.json"
    assert layout.batch("b", "index.html") == f"{root}batches/b/index.html"
    stem = f"{root}videos/2026-11-20/a-fox-in-the-snow-{PLAN.id}"
    assert layout.media(PLAN, NOW) == (f"{stem}.mp4", f"{stem}.jpg")


def test_a_template_may_use_every_field() -> None:
    """Date, its parts, model and edition, as they are told in the block."""
    template = "{year}/{month}/{day}/{model}/{edition}/{slug}_{id}_{date}"
    video, poster = Layout(template=check_template(template)).media(PLAN, NOW)
    assert video == f"videos/2026/11/20/m/2026-11-20/a-fox-in-the-snow_{PLAN.id}_2026-11-20.mp4"
    assert poster == video.replace(".mp4", ".jpg")


def test_a_webm_is_called_webm() -> None:
    """The suffix is that of the requested format."""
    plan = VideoPlan(request=VideoRequest(model="m", prompt="A fox", output_format="webm"))
    assert Layout().media(plan, NOW)[0].endswith(f"a-fox-{plan.id}.webm")


HOSTILE = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["../", "..", ".", "/", "\\", "{id}", "{", "}", "%2e%2e%2f", "&#47;", "&#x2e;", "&#99999999999;", "&#xD800;",
         "\x00", "\r\n", "\u202e", "🦊", "﷽", "漢字", "<b>", "'", '"', "?", "#", "s3://", "~", "CON", " "]
    ),
    max_size=12,
).map("".join)  # fmt: skip
TEMPLATES = st.sampled_from(
    [
        DEFAULT_TEMPLATE,
        "{id}",
        "{model}/{edition}/{slug}/{id}",
        "{slug}/{id}",
        "a b/{year}.{month}/{id}.{slug}",
    ]
)


@given(HOSTILE, HOSTILE, HOSTILE, TEMPLATES, st.sampled_from(["", "p", "p/q"]))
def test_no_text_leads_out_of_the_prefix(
    prompt: str, model: str, edition: str, template: str, prefix: str
) -> None:
    """Whatever prompt, model and edition hold: plain paths below videos/, which S3 and file systems take."""
    request = VideoRequest(model=f"m{model}"[:200], prompt=f"p{prompt}")
    plan = VideoPlan(request=request, edition=f"e{edition}"[:100])
    keys = Layout(prefix=check_prefix(prefix), template=check_template(template)).media(plan, NOW)
    assert len(set(keys)) == 2
    for key in keys:
        assert key.startswith(f"{prefix}/videos/" if prefix else "videos/")
        assert re.fullmatch(r"[A-Za-z0-9 ._/-]+", key)
        assert not {"", ".", ".."} & set(key.split("/"))
        assert plan.id in key
        assert len(key.encode()) <= 400


@pytest.mark.parametrize("text", ["🦊", "﷽" * 100, "漢" * 100, "---", "../.."])
def test_names_in_any_script_make_a_folder(text: str) -> None:
    """A model or edition that vanishes when it is written in ASCII, or grows tenfold, still makes one."""
    plan = VideoPlan(request=VideoRequest(model=text, prompt=text), edition=text)
    key, _ = Layout(template="{model}/{edition}/{slug}-{id}").media(plan, NOW)
    pieces = key.split("/")
    assert len(pieces) == 4
    assert all(0 < len(piece) <= 100 for piece in pieces)


def test_the_longest_prompt_makes_a_short_name() -> None:
    """32,000 characters leave 48."""
    assert len(slug_of(VideoRequest(model="m", prompt="fox " * 8000))) <= 48
    assert len(slug_of(VideoRequest(model="m", prompt="x" * 32_000))) <= 48


@pytest.mark.parametrize(
    ("prefix", "plain"),
    [("", ""), ("/", ""), ("a", "a"), ("/a/b/", "a/b"), ("a b/ü", "a b/ü"), ("...", "..."), ("a.b", "a.b")],
)
def test_a_prefix_is_a_plain_path(prefix: str, plain: str) -> None:
    """Slashes at its ends are nobody's mistake."""
    assert check_prefix(prefix) == plain


@pytest.mark.parametrize("prefix", ["..", ".", "a/../b", "a//b", "./a", "a/.", "a\nb", "a\x00", "a/\u202eb"])
def test_a_prefix_that_is_no_plain_path_is_refused(prefix: str) -> None:
    """It could lead somewhere else, or nowhere."""
    with pytest.raises(ConfigurationError, match="not a plain path"):
        check_prefix(prefix)


@pytest.mark.parametrize("template", [DEFAULT_TEMPLATE, "{id}", "{{{id}}}", "a/{slug} {id}", "{id}/{id}"])
def test_a_template_that_names_each_video_passes(template: str) -> None:
    """As it is; doubled braces are braces."""
    assert check_template(template) == template
    assert PLAN.id in Layout(template=template).media(PLAN, NOW)[0]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("", "needs {id}"),
        ("{slug}", "needs {id}"),
        ("{{id}}", "needs {id}"),
        ("{id!r}", "needs {id}"),
        ("{id:>99999999}", "needs {id}"),
        ("{id:{date}}", "needs {id}"),
        ("{id", "malformed"),
        ("id}", "malformed"),
        ("{}", "unknown fields"),
        ("{0}", "unknown fields"),
        ("{id}-{prompt}", "unknown fields: prompt"),
        ("{id.__class__}", "unknown fields"),
        ("{id[0]}", "unknown fields"),
        ("../{id}", "plain relative path"),
        ("/{id}", "plain relative path"),
        ("{id}/", "plain relative path"),
        ("a//{id}", "plain relative path"),
        ("./{id}", "plain relative path"),
        ("a\n{id}", "plain relative path"),
    ],
)
def test_a_template_that_cannot_work_is_refused(template: str, words: str) -> None:
    """Before the first video, in one sentence."""
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        check_template(template)


@pytest.mark.parametrize("edition", ["", "x" * 101, "a\nattempt 2", "a\x1b[31m"])
def test_an_edition_that_could_pass_for_something_else_is_refused(edition: str) -> None:
    """An edition is one printable line: with a line break it could name another purchase's attempt."""
    with pytest.raises(InputError, match="edition"):
        edition_name(edition, datetime(2026, 11, 20, tzinfo=UTC))
