"""The chain of steps without a Prefect server: what becomes of each video, and what is paid."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.reporting.progress import Progress, listening
from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.flows.video import generate_video
from prefect_together_video.tasks.session.planning import check_requests, edition_now
from together_video.errors import ConfigurationError, InputError
from together_video.ledger.plans import plan_videos
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary, VideoState
from together_video.polling.policy import PollPolicy
from together_video.prompts import Brief

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]


@pytest.fixture
def batch(api: Any, archive: VideoArchive, poll: PollPolicy, small: Make) -> Make:
    """Runs the batch flow's own function on prompts; gives its state."""

    async def run(*prompts: str, **parameters: Any) -> Any:
        given = {"requests": [small(prompt) for prompt in prompts]} if prompts else {}
        usual = {"poll": poll, "together": api.credentials(), "archive": archive}
        state = await generate_batch.fn(**{**usual, **given, **parameters})
        state.data = result_of(state.data)
        return state

    return run


async def read_json(archive: VideoArchive, key: str) -> Any:
    async with archive.open() as ledger:
        found = await ledger.store.get(archive.layout.key(*key.split("/")))
    return json.loads(found.data) if found else None


async def test_every_video_ends_in_its_own_state(api: Any, archive: VideoArchive, batch: Make) -> None:
    """One batch meets every error at once: each video is reported on its own, and none stops another."""
    api.faults(
        {"on": "create", "kind": "job_failed", "match": "failing", "message": "too dark"},
        {"on": "create", "kind": "status", "status": 422, "match": "refused", "message": "not this one"},
        {"on": "create", "kind": "status", "status": 500, "created": True, "match": "unclear"},
        {"on": "create", "kind": "reset", "match": "cut off"},
        {"on": "create", "kind": "garbage", "match": "garbled"},
        {"on": "create", "kind": "stuck", "match": "stuck"},
    )
    prompts = {
        "a fox": "archived",
        "a failing fox": "failed",
        "a refused fox": "refused",
        "an unclear fox": "ambiguous",
        "a fox, cut off": "ambiguous",
        "a garbled fox": "ambiguous",
        "a stuck fox": "submitted",
        "an owl": "archived",
    }
    state = await batch(*prompts, poll=PollPolicy.fixed(0.1, deadline=3))
    summary = state.data
    assert {found.prompt: found.state.value for found in summary.videos} == prompts
    assert state.is_failed()
    assert state.message == summary.sentence
    assert state.message.startswith("8 videos: 2 archived, 1 failed, 1 refused, 3 ambiguous, 1 submitted; ")
    errors = {found.prompt: found.error for found in summary.videos}
    assert errors["a fox"] is None
    assert "too dark" in errors["a failing fox"]
    assert "not this one" in errors["a refused fox"]
    assert "held and not repeated" in errors["an unclear fox"]
    assert "keeps running at the provider and is billed" in errors["a stuck fox"]
    # One POST each: nothing was tried again that might have been paid for.
    assert api.posts == len(prompts)
    async with archive.open() as ledger:
        at_risk = set(await ledger.in_flight())
        failed = await ledger.record(summary.videos[1].id)
    assert at_risk == {
        found.id for found in summary.videos if found.state in {VideoState.AMBIGUOUS, VideoState.SUBMITTED}
    }
    assert (failed.state, failed.job_id) == ("failed", summary.videos[1].job_id)
    assert "too dark" in failed.error


async def test_a_second_run_pays_nothing(api: Any, batch: Make) -> None:
    """What is archived is reused, free of charge; a failed job stays failed; nothing is sent."""
    api.faults({"on": "create", "kind": "job_failed", "match": "failing"})
    first = (await batch("a fox", "an owl", "a failing fox")).data
    again = await batch("a fox", "an owl", "a failing fox")
    assert [found.state.value for found in again.data.videos] == ["reused", "reused", "failed"]
    assert [found.sha256 for found in again.data.videos] == [found.sha256 for found in first.videos]
    assert api.posts == 3
    assert (await batch("a fox")).is_completed()
    assert again.data.videos[0].cost_usd == first.videos[0].cost_usd
    assert (await batch("a fox")).data.cost_usd == 0


async def test_a_run_after_the_deadline_brings_the_job_home(start_api: Make, batch: Make) -> None:
    """A wait that gives up leaves the job in flight; the next run archives it without a new POST."""
    now = [1_800_000_000.0]
    api = start_api(generation_seconds=60, clock=lambda: now[0])
    first = await batch("a fox", together=api.credentials(), poll=PollPolicy.fixed(0.1, deadline=0.3))
    assert [found.state.value for found in first.data.videos] == ["submitted"]
    now[0] += 61
    second = await batch("a fox", together=api.credentials())
    assert second.is_completed()
    assert [found.state.value for found in second.data.videos] == ["archived"]
    assert second.data.videos[0].job_id == first.data.videos[0].job_id
    assert api.posts == 1


async def test_a_doubt_that_the_bucket_cannot_take_counts_in_the_budget(
    api: Any, new_archive: Make, unruly_s3: Any, batch: Make
) -> None:
    """The create may have been charged, whether or not that can be written down: it keeps its estimate."""
    api.faults({"on": "create", "kind": "reset", "times": 1})
    unruly_s3.strike = lambda method, path, _: 400 if "ambiguous" in path and method == "PUT" else None
    budget = {"in_flight": 1, "budget_usd": Decimal("0.30")}
    state = await batch("a fox", "an owl", archive=new_archive(unruly_s3.url), **budget)
    assert [found.state.value for found in state.data.videos] == ["ambiguous", "skipped"]
    assert (api.posts, api.charges) == (1, 1)


async def test_a_video_that_costs_more_than_estimated_is_told(
    start_api: Make, batch: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """The limits use estimates, so the user must be warned that they were too low."""
    dear = start_api(price=0.5)
    await batch("a fox", together=dear.credentials())
    assert any("0.50 USD" in line for line in caplog.messages), caplog.messages


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_an_account_that_is_refused_stops_the_rest(api: Any, batch: Make, status: int) -> None:
    """After 401, 402 or 403 no create can succeed: the others are not even tried."""
    api.faults({"on": "create", "kind": "status", "status": status})
    state = await batch("a fox", "an owl", "a cat", in_flight=1)
    assert [found.state.value for found in state.data.videos] == ["refused", "skipped", "skipped"]
    assert f"HTTP {status}" in state.data.videos[2].error
    assert (api.posts, api.charges) == (1, 0)


async def test_a_request_that_is_refused_does_not_stop_the_rest(api: Any, batch: Make) -> None:
    """422 concerns one request."""
    api.faults({"on": "create", "kind": "status", "status": 422, "match": "fox"})
    state = await batch("a fox", "an owl", in_flight=1)
    assert [found.state.value for found in state.data.videos] == ["refused", "archived"]


async def test_no_more_than_in_flight_are_on_their_way(start_api: Make, archive: Any, batch: Make) -> None:
    """From the create to the record, at most so many videos overlap, and so many do."""
    api = start_api(generation_seconds=0.4)
    state = await batch(*(f"fox {n}" for n in range(7)), in_flight=3, together=api.credentials())
    assert state.is_completed()
    changes = [(row["created_at"], 1) for row in api.bill()["jobs"]]
    async with archive.open() as ledger:
        for found in state.data.videos:
            changes.append(((await ledger.record(found.id)).recorded_at.timestamp(), -1))
    level = highest = 0
    for _, step in sorted(changes):
        level += step
        highest = max(highest, level)
    assert highest == 3


async def test_identical_requests_of_a_batch_are_takes(api: Any, batch: Make) -> None:
    """The same line twice means two videos, and a second run finds both."""
    first = (await batch("a fox", "a fox")).data
    assert len({found.id for found in first.videos}) == 2
    assert api.charges == 2
    assert (await batch("a fox", "a fox")).data.counts["reused"] == 2


async def test_take_and_edition_make_another_video(
    api: Any, archive: VideoArchive, poll: PollPolicy, small: Make
) -> None:
    """One request is bought again only under another take or edition."""

    async def run(**more: Any) -> str:
        state = await generate_video.fn(
            small("a fox"), poll=poll, together=api.credentials(), archive=archive, **more
        )
        return result_of(state.data).videos[0].state.value

    assert await run() == "archived"
    assert await run() == "reused"
    assert await run(take=2) == "archived"
    assert await run(edition="spring") == "archived"
    assert await run(edition="spring") == "reused"
    assert api.charges == 3


async def test_a_brief_writes_prompts_once_in_an_edition(
    api: Any, archive: VideoArchive, batch: Make
) -> None:
    """Prompts are stored before use: a second run of the brief reads them and reuses every video."""
    settings = {"width": 64, "height": 48, "seconds": "1", "fps": 8}
    brief = Brief(subject="a lighthouse", count=2)
    first = await batch(brief=brief, settings=settings)
    assert first.message.startswith("2 videos: 2 archived")
    again = await batch(brief=brief, settings=settings)
    assert again.message.startswith("2 videos: 2 reused")
    assert [found.prompt for found in again.data.videos] == [found.prompt for found in first.data.videos]
    assert (api.bill()["chats"], api.charges) == (1, 2)
    async with archive.open() as ledger:
        record = await ledger.record(first.data.videos[0].id)
    assert record.plan.origin.chat_model


async def test_a_file_is_read_by_the_flow(api: Any, batch: Make, small_file: Make) -> None:
    """The path of a file may be the flow's parameter."""
    state = await batch(file=str(small_file("a fox", "an owl")))
    assert state.message.startswith("2 videos: 2 archived")


async def test_a_run_that_cannot_begin_sends_nothing(
    api: Any, archive: VideoArchive, batch: Make, small: Make, tmp_path: Any
) -> None:
    """Bad input ends as Failed with the sentence as its message, before any call."""
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"prompt": "a fox"}\n{"promt": "an owl"}\n')
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "Give one of brief, requests or file."),
        ({"requests": [small("a fox")], "file": "x.txt"}, "Give one of brief, requests or file."),
        ({"requests": [small("a fox", model="pixverse/pixverse-5")]}, "pixverse/pixverse-v5"),
        ({"requests": [small("x" * 2049)]}, "2049 characters"),
        ({"requests": [small("a fox")], "strict": True}, "64"),
        ({"file": str(broken)}, "line 2"),
        ({"brief": Brief(subject="a fox"), "settings": {"fps": "many"}}, "fps"),
    ]
    for parameters, words in cases:
        state = await batch(**parameters)
        assert state.is_failed(), parameters
        assert isinstance(state.data, InputError)
        assert words in state.message
    assert (api.posts, api.bill()["chats"]) == (0, 0)
    async with archive.open() as ledger:
        assert await ledger.store.list("") == []


async def test_blocks_default_to_the_environment(poll: PollPolicy, small: Make) -> None:
    """Without blocks and without variables the flow says which variable is missing."""
    state = await generate_video.fn(small("a fox"), poll=poll)
    assert isinstance(state.data, ConfigurationError)
    assert "TOGETHER_API_KEY" in state.message


async def test_another_upload_under_the_key_is_kept(
    api: Any, archive: VideoArchive, batch: Make, small: Make, tmp_path: Any
) -> None:
    """Where another run of the same claim stored other bytes first, those are what the record describes."""
    archive = archive.model_copy(update={"template": "{id}"})
    other = (await batch("another fox", archive=archive)).data.videos[0]
    plan = VideoPlan(request=small("a fox"))
    key, _ = archive.layout.media(plan, datetime.now(UTC))
    async with archive.open() as ledger:
        await ledger.store.fetch(other.key, tmp_path / "other.mp4")
        assert await ledger.store.put_file_once(key, tmp_path / "other.mp4", other.sha256, "video/mp4")
    state = await batch("a fox", archive=archive)
    assert state.is_completed()
    assert (state.data.videos[0].key, state.data.videos[0].sha256) == (key, other.sha256)


async def test_something_else_under_the_key_is_not_overwritten(
    api: Any, archive: VideoArchive, batch: Make, small: Make
) -> None:
    """A file that is not a video stays as it is. The job stays in flight, and its id is reported."""
    archive = archive.model_copy(update={"template": "{id}"})
    key, _ = archive.layout.media(VideoPlan(request=small("a fox")), datetime.now(UTC))
    async with archive.open() as ledger:
        await ledger.store.put_once(key, b"notes")
        state = await batch("a fox", archive=archive)
        found = state.data.videos[0]
        assert (found.state, found.job_id) == (VideoState.SUBMITTED, api.bill()["jobs"][0]["id"])
        assert "differs from the download" in found.error
        assert (await ledger.store.get(key)).data == b"notes"
        assert set(await ledger.in_flight()) == {found.id}


async def test_the_gallery_and_the_summary_are_kept(archive: VideoArchive, batch: Make) -> None:
    """batches/<id>/ holds the page and the same document that --json prints."""
    state = await batch("a fox", "an owl")
    page = state.data.page
    folder = page.removesuffix("index.html")
    assert folder.startswith("batches/")
    document = await read_json(archive, f"{folder}batch.json")
    assert {name: document[name] for name in state.data.as_json()} == state.data.as_json()
    async with archive.open() as ledger:
        html = (await ledger.store.get(page)).data.decode()
        record = await ledger.record(state.data.videos[0].id)
    assert "a fox" in html
    assert "an owl" in html
    assert record.plan.batch_id == folder.split("/")[1]
    assert f"../../{state.data.videos[0].key}" in html


async def test_a_page_that_cannot_be_written_fails_nothing(
    unruly_s3: Any, new_archive: Make, batch: Make
) -> None:
    """No paid video hangs on the page."""
    archive = new_archive(unruly_s3.url)
    unruly_s3.strike = lambda method, path, _: 403 if method == "PUT" and "/batches/" in path else None
    state = await batch("a fox", archive=archive)
    assert state.is_completed()
    assert state.data.page is None


async def test_a_defect_of_one_video_stops_no_other(
    api: Any, batch: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw is told with its job, which stays in flight, and the rest continues."""
    from prefect_together_video.tasks.steps import download

    real = download.inspect_clip

    def inspect(path: Any) -> Any:
        if not seen:
            seen.append(path)
            raise RuntimeError("a defect")
        return real(path)

    seen: list[Any] = []
    monkeypatch.setattr(download, "inspect_clip", inspect)
    state = await batch("a fox", "an owl")
    assert sorted(found.state.value for found in state.data.videos) == ["archived", "submitted"]
    lost = next(found for found in state.data.videos if found.state is VideoState.SUBMITTED)
    assert lost.error.startswith("Unexpected RuntimeError: a defect. The job is billed and kept in flight")
    assert lost.job_id in api.jobs


async def test_progress_is_told_as_it_happens(batch: Make) -> None:
    """A listener gets each stage of each video, and how many have ended."""
    heard: list[Progress] = []
    with listening(heard.append):
        await batch("a fox", "an owl", in_flight=1)
    await batch("a cat")
    assert [(told.plan.title, told.stage, told.done) for told in heard] == [
        ("a fox", "creating", 0),
        ("a fox", "created", 0),
        ("a fox", "finished", 0),
        ("a fox", "archived", 1),
        ("an owl", "creating", 1),
        ("an owl", "created", 1),
        ("an owl", "finished", 1),
        ("an owl", "archived", 2),
    ]
    assert {told.total for told in heard} == {2}


async def test_a_plan_knows_its_estimate_and_edition(small: Make) -> None:
    """What is stored with a purchase: the highest estimate, the edition, the batch."""
    twice = [small("a fox"), small("a fox")]
    plans = plan_videos(twice, "2026-11-20", "b1", prices=check_requests(twice))
    assert [(plan.take, plan.edition, plan.batch_id) for plan in plans] == [
        (1, "2026-11-20", "b1"),
        (2, "2026-11-20", "b1"),
    ]
    assert all(plan.estimate_usd is not None and plan.estimate_usd > 0 for plan in plans)


async def test_the_edition_outside_of_a_run_is_the_present_one() -> None:
    """daily is today's date in UTC, hourly today's hour; any other text stays."""
    before = datetime.now(UTC)
    found = edition_now("hourly")
    assert found in {f"{moment:%Y-%m-%dT%H}" for moment in (before, datetime.now(UTC))}
    assert (edition_now("once"), edition_now("spring")) == ("once", "spring")


async def test_an_empty_summary_is_good() -> None:
    """Nothing to do is not a failure."""
    assert Summary.of([]).is_good


async def test_a_doubt_is_not_given_up_for_money_that_is_not_there(
    api: Any, archive: VideoArchive, batch: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Under a monthly limit `resubmit` asks first whether the video could be bought again; the log then says so, and
    names no remedy.
    """
    limited = archive.model_copy(update={"monthly_limit_usd": Decimal("0.5")})
    api.faults({"on": "create", "kind": "garbage", "times": 1})
    assert (await batch("a fox", archive=limited)).data.counts["ambiguous"] == 1
    again = await batch("a fox", archive=limited, on_ambiguous="resubmit")
    assert again.data.counts["ambiguous"] == 1
    assert api.posts == 1
    enough = archive.model_copy(update={"monthly_limit_usd": Decimal(1)})
    caplog.clear()
    assert (await batch("a fox", archive=enough, on_ambiguous="resubmit")).data.counts["archived"] == 1
    (said,) = [one.getMessage() for one in caplog.records if "bought again" in one.getMessage()]
    assert said.endswith("it is given up now and bought again.")
    assert "--on-ambiguous" not in said
