"""The audit and the collector, where runs, people or consoles have left odd things in the bucket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.ledger import spending_entries
from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.flows.engine.audit_run import audit
from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.flows.video import generate_video
from tests.facts import record_of
from together_video.ledger.records import StoredObject, Submission, VideoPlan
from together_video.ledger.spool import Spool
from together_video.polling.policy import PollPolicy

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]


@pytest.fixture
def collect(api: Any, archive: VideoArchive, spool_folder: Any, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Runs the collector's own function, with a spool of its own."""
    monkeypatch.setenv("TOGETHER_VIDEO_SPOOL", str(spool_folder))

    async def run(**parameters: Any) -> Any:
        return await collect_videos.fn(**{"together": api.credentials(), "archive": archive, **parameters})

    return run


async def findings(archive: VideoArchive) -> list[tuple[str, str]]:
    async with archive.open() as ledger:
        return [(found.kind, found.key) for found in (await audit(ledger, deep=False)).findings]


async def test_money_that_nobody_uses_is_given_back(
    archive: VideoArchive, collect: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reservation without a purchase is left alone while it is young; then found, and given back."""
    archive = archive.model_copy(update={"monthly_limit_usd": Decimal(1)})
    async with archive.open() as ledger:
        key = await ledger.spending.reserve("a" * 24, Decimal("0.9"))
    assert await findings(archive) == []
    assert (await collect(archive=archive)).is_completed()
    async with archive.open() as ledger:
        assert await ledger.store.head(key) is not None
    monkeypatch.setattr(spending_entries, "_SETTLED_AFTER", -60)
    assert await findings(archive) == [("half-written", key)]
    assert (await collect(archive=archive)).is_completed()
    assert await findings(archive) == []


async def test_a_job_without_its_claim_is_trouble(
    api: Any, archive: VideoArchive, collect: Make, small: Make
) -> None:
    """Nobody knows what was asked: it is told with its job id, and stays as it is."""
    plan = VideoPlan(request=small("a fox"))
    async with archive.open() as ledger, api.credentials().get_client() as client:
        claim = await ledger.claim(plan, valid_seconds=250)
        assert claim is not None
        job = await client.create(plan.request)
        await ledger.submitted(Submission.of(claim, job))
        await ledger.store.delete([ledger.layout.claim(plan.id)])
        state = await collect()
        assert state.is_failed()
        (found,) = result_of(state.data).videos
        assert (found.id, found.state.value) == (plan.id, "submitted")
        assert job.id in found.error
        assert "buys nothing" in found.error
        assert (await ledger.facts(plan.id)).submission is not None
    assert api.posts == 1


async def test_folders_of_a_console_are_no_findings(archive: VideoArchive, s3_client: Any) -> None:
    """Consoles make empty objects whose names end in / to show folders; an empty file is an orphan all the same."""
    for key in (
        "videos/",
        "records/",
        "inflight/",
        "media/",
        "spending/",
        "videos/2026-11-21/",
        "videos/a.mp4",
    ):
        s3_client.put_object(Bucket=archive.bucket, Key=key, Body=b"")
    assert await findings(archive) == [("orphan", "videos/a.mp4")]


async def test_a_poster_that_its_record_does_not_name_is_no_orphan(
    archive: VideoArchive, s3_client: Any, small: Make
) -> None:
    """Its upload had no clear answer, so the record names none; it may lie there all the same."""
    plan = VideoPlan(request=small("a fox"))
    key, poster = archive.layout.media(plan, datetime.now(UTC))
    video = StoredObject(key=key, size=1, sha256="ab" * 32, content_type="video/mp4")
    record = record_of(plan, state="archived", video=video, recorded_at=datetime.now(UTC))
    for name, body in ((key, b"x"), (poster, b"y"), (f"records/{plan.id}.json", record.model_dump_json())):
        s3_client.put_object(Bucket=archive.bucket, Key=name, Body=body)
    assert await findings(archive) == []


async def test_a_broken_claim_does_not_stop_the_audit(archive: VideoArchive, s3_client: Any) -> None:
    """It is a finding, beside all others."""
    key = f"inflight/{'a' * 24}/claim.json"
    s3_client.put_object(Bucket=archive.bucket, Key=key, Body=b"{broken")
    s3_client.put_object(Bucket=archive.bucket, Key="videos/a.mp4", Body=b"x")
    assert sorted(await findings(archive)) == [
        ("orphan", "videos/a.mp4"),
        ("unreadable", f"inflight/{'a' * 24}/"),
    ]


async def test_a_broken_note_on_disk_does_not_stop_the_collector(
    archive: VideoArchive, collect: Make, small: Make, spool_folder: Any
) -> None:
    """A job id that could not be written whole is none; the purchase waits for its age to tell."""
    async with archive.open() as ledger:
        claim = await ledger.claim(VideoPlan(request=small("a fox")), valid_seconds=250)
    assert claim is not None
    spool = Spool(spool_folder)
    path = spool.keep_submission(
        Submission(id=claim.id, token=claim.token, job_id="j", submitted_at=claim.claimed_at)
    )
    path.write_bytes(b'{"id": "\xff')
    assert spool.kept_submission(claim) is None
    state = await collect()
    assert state.is_completed(), state.message
    assert path.exists()


async def test_a_job_that_the_provider_has_forgotten_can_be_closed(
    api: Any, archive: VideoArchive, collect: Make, small: Make
) -> None:
    """A day after its create it is told as a doubt, in each run; who says resubmit buys the video again, once."""
    plan = VideoPlan(request=small("a fox"))
    long_ago = datetime.now(UTC) - timedelta(hours=30)
    async with archive.open() as ledger:
        claim = await ledger.claim(plan, valid_seconds=250)
        assert claim is not None
        await ledger.submitted(
            Submission(id=plan.id, token=claim.token, job_id="gone", submitted_at=long_ago)
        )

        async def run(**more: Any) -> Any:
            given = {"together": api.credentials(), "archive": archive, "poll": PollPolicy.fixed(0.05)}
            state = await generate_video.fn(plan.request, **given, **more)
            (outcome,) = result_of(state.data).videos
            return outcome

        state = await collect()
        assert state.is_failed()
        (told,) = result_of(state.data).videos
        assert (told.state.value, told.job_id, api.posts) == ("ambiguous", "gone", 0)
        assert "does not know job gone (HTTP 404), which it accepted 30 h ago" in told.error
        assert "--on-ambiguous resubmit" in told.error
        assert (await run()).state.value == "ambiguous"
        assert api.posts == 0

        bought = await run(on_ambiguous="resubmit")
        assert (bought.state.value, [bought.job_id]) == ("archived", api.jobs)
        closed = await ledger.record(plan.id)
        assert closed is not None
        assert (closed.state, closed.job_id) == ("abandoned", "gone")
        assert (await run(on_ambiguous="resubmit")).state.value == "reused"
        # Its job id lies there once more, as after a clean-up that was cut short: it is no late video.
        await ledger.submitted(
            Submission(id=plan.id, token=claim.token, job_id="gone", submitted_at=long_ago)
        )
        assert (await collect()).is_completed()
        assert await ledger.in_flight() == {}
    assert api.posts == 1


async def test_what_another_machine_brought_home_is_swept_from_the_spool(
    archive: VideoArchive, collect: Make, small: Make, spool_folder: Any
) -> None:
    """Files and job ids of recorded jobs go; those in flight, of other jobs and of other archives stay."""
    spool = Spool(spool_folder)
    now = datetime.now(UTC)
    here: dict[str, list[Path]] = {}
    async with archive.open() as ledger:
        for prompt in ("recorded", "in flight", "another job", "elsewhere"):
            plan = VideoPlan(request=small(prompt))
            claim = await ledger.claim(plan, valid_seconds=250)
            assert claim is not None
            kept = Submission(id=plan.id, token=claim.token, job_id="mine", submitted_at=now)
            here[prompt] = [spool.keep_submission(kept), spool.video(claim, "mine")]
            here[prompt].append(here[prompt][1].with_suffix(".jpg"))
            for path in here[prompt][1:]:
                path.write_bytes(b"x")
            if prompt in {"recorded", "another job"}:
                job = "mine" if prompt == "recorded" else "theirs"
                await ledger.finish(record_of(plan, state="archived", job_id=job, recorded_at=now), claim)
            elif prompt == "elsewhere":
                await ledger.release(claim)
    await collect()
    gone = {prompt: [not path.exists() for path in paths] for prompt, paths in here.items()}
    # The kept job id of the purchase in flight went into the bucket.
    assert gone == {
        "recorded": [True, True, True],
        "in flight": [True, False, False],
        "another job": [False, False, False],
        "elsewhere": [False, False, False],
    }


async def test_an_idle_collector_makes_few_calls(new_archive: Make, unruly_s3: Any, collect: Make) -> None:
    """It is scheduled every few minutes, and every call costs: it lists what is in flight and the index; where there
    is none, whose turn it is to make it, and whether there is anything to list.
    """
    archive = new_archive(unruly_s3.url)
    unruly_s3.calls.clear()
    state = await collect(archive=archive)
    assert state.is_completed()
    prefixes = ("prefix=inflight", "prefix=index%2F&", "prefix=index%2Fturns", "prefix=records")
    assert len(unruly_s3.calls) == len(prefixes)
    for (method, path), prefix in zip(unruly_s3.calls, prefixes, strict=True):
        assert (method, prefix in path) == ("GET", True), path


async def test_a_store_that_tells_no_time(
    new_archive: Make, unruly_s3: Any, small: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a Date header our own clock has to do."""
    archive = new_archive(unruly_s3.url)
    passed = unruly_s3._pass_on

    def without_date(call: Any, body: bytes) -> Any:
        status, answer, headers = passed(call, body)
        return status, answer, [(name, value) for name, value in headers if name.lower() != "date"]

    monkeypatch.setattr(unruly_s3, "_pass_on", without_date)
    async with archive.open() as ledger:
        claim = await ledger.claim(VideoPlan(request=small("a fox")), valid_seconds=250)
        assert claim is not None
        facts = await ledger.facts(claim.id)
    assert facts.claim_age is not None
    assert abs(facts.claim_age) < 60
