"""A batch that is worth a listing of records/: what it spares, and that nothing hangs on how old it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.reporting.progress import Progress, listening
from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.tasks.session.standings import Standings
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary
from together_video.polling.policy import PollPolicy

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Make = Callable[..., Any]


@pytest.fixture
def batch(api: Any, archive: VideoArchive, poll: PollPolicy, small: Make) -> Make:
    """Runs the batch flow's own function on prompts; gives its summary."""

    async def run(*prompts: str, to: VideoArchive = archive, of: Any = api) -> Summary:
        state = await generate_batch.fn(
            requests=[small(prompt) for prompt in prompts],
            poll=poll,
            in_flight=60,
            together=of.credentials(),
            archive=to,
        )
        summary = result_of(state.data)
        assert isinstance(summary, Summary), summary
        return summary

    return run


async def test_what_a_new_video_asks_of_s3(
    batch: Make, api: Any, seaweed: Any, new_archive: Make, new_unruly: Make
) -> None:
    """At most eight requests each in a batch of fifty, and a few for its start, its listing and its page."""
    seen = new_unruly(seaweed.url)
    archive = new_archive(seen.url, (seaweed.access_key, seaweed.secret_key))
    seen.calls.clear()
    summary = await batch(*(f"kite {number}" for number in range(50)), to=archive)
    assert summary.counts["archived"] == 50
    # Fewer where videos that finish together share a clean-up, which no test can time.
    assert len(seen.calls) <= 8 * 50 + 8
    seen.calls.clear()
    assert (await batch(*(f"kite {number}" for number in range(50)), to=archive)).counts["reused"] == 50
    assert len(seen.calls) < 60
    assert api.posts == 50


async def test_a_listing_that_is_out_of_date_costs_nothing(
    batch: Make, api: Any, archive: VideoArchive, small: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that were written after it are found behind the claim: an archived video is reused, and one that was
    given up is bought again as its next attempt.
    """

    async def none_of_them(_: Ledger, videos: Iterable[str]) -> set[str]:
        return set(videos)

    await batch("a fox")
    async with archive.open() as ledger:
        plan = VideoPlan(request=small("an owl"))
        claim = await ledger.claim(plan, valid_seconds=250)
        assert claim is not None
        await ledger.abandon(claim, "somebody chose to buy it again")
    monkeypatch.setattr(Ledger, "unrecorded", none_of_them)
    summary = await batch("a fox", "an owl")
    assert [found.state.value for found in summary.videos] == ["reused", "archived"]
    assert summary.videos[1].id == plan.next_attempt().id
    assert api.posts == 2
    async with archive.open() as ledger:
        assert await ledger.in_flight() == {}


async def test_a_batch_is_begun_a_few_at_a_time(
    batch: Make, start_api: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first job is made before the last video is begun; a job that is waited for holds no place."""
    api = start_api(generation_seconds=2)
    begun, waited_for = set[str](), set[str]()
    most = {"begun": 0, "waited for": 0}
    latest = Standings.latest

    async def counted(standings: Standings, plan: VideoPlan) -> Any:
        begun.add(plan.id)
        most["begun"] = max(most["begun"], len(begun))
        return await latest(standings, plan)

    def hear(change: Progress) -> None:
        if change.stage == "created":
            begun.discard(change.plan.id)
            waited_for.add(change.plan.id)
            most["waited for"] = max(most["waited for"], len(waited_for))
        elif change.stage == "finished":
            waited_for.discard(change.plan.id)

    monkeypatch.setattr(Standings, "latest", counted)
    monkeypatch.setattr("prefect_together_video.flows.engine.pipeline.CREATING_AT_ONCE", 4)
    with listening(hear):
        summary = await batch(*(f"kite {number}" for number in range(20)), of=api)
    assert summary.counts["archived"] == 20
    assert most["begun"] == 4
    assert most["waited for"] > 4
