"""What runs tell later ones of how long models take; and that it is worth no video."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.ledger.durations import DurationStatistics
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.tasks.session.duration_history import DurationHistory
from together_video.job_status import JobStatus
from together_video.jobs import VideoJob
from together_video.polling.learner import DurationFacts, Learner
from together_video.polling.policy import PollPolicy

pytestmark = pytest.mark.anyio

MODEL = "pixverse/pixverse-v5"
Make = Callable[..., Any]


async def known(archive: VideoArchive) -> DurationFacts | None:
    async with archive.open() as ledger:
        return await DurationStatistics(ledger.store, ledger.layout).newest(MODEL)


@pytest.fixture
async def earlier(archive: VideoArchive) -> DurationFacts:
    """Yesterday's runs saw videos made within a second."""
    facts = DurationFacts(
        model=MODEL, written_at=datetime.now(UTC) - timedelta(days=1), seconds=(0.9, 1.0, 1.1) * 10
    )
    async with archive.open() as ledger:
        await DurationStatistics(ledger.store, ledger.layout).keep(facts)
    return facts


async def test_runs_learn_from_each_other(
    start_api: Make, archive: VideoArchive, earlier: DurationFacts, small: Make
) -> None:
    """A run without a policy of its own asks when earlier ones were done, tells later ones, and once done again,
    neither reads nor writes anything of it.
    """
    api = start_api(generation_seconds=0.5)
    given = {"requests": [small("a fox"), small("an owl")], "archive": archive, "together": api.credentials()}
    began = time.monotonic()
    state = await generate_batch.fn(**given)
    assert state.is_completed(), state.message
    assert time.monotonic() - began < 18
    assert api.bill()["retrieves"] <= 6
    kept = await known(archive)
    assert kept is not None
    assert kept.seconds[2:] == earlier.seconds
    assert all(0 < seconds < 5 for seconds in kept.seconds[:2])
    assert (await generate_batch.fn(**given)).is_completed()
    assert await known(archive) == kept


async def test_a_policy_of_ones_own_learns_nothing(
    api: Any, archive: VideoArchive, poll: PollPolicy, small: Make
) -> None:
    """Fixed waits, and the collector, leave no statistics."""
    given = {"requests": [small("a fox")], "archive": archive, "together": api.credentials()}
    assert (await generate_batch.fn(**given, poll=poll)).is_completed()
    assert (await collect_videos.fn(archive=archive, together=api.credentials())).is_completed()
    assert await known(archive) is None


async def test_without_statistics_nothing_is_lost(
    archive: VideoArchive, caplog: pytest.LogCaptureFixture
) -> None:
    """A bucket that lets nobody read or write them costs a line in the log, and the guess is used."""
    async with archive.model_copy(update={"bucket": "gone"}).open() as ledger:
        experience = DurationHistory(ledger, PollPolicy())
        await experience.recall(MODEL)
        known = experience.learner
        assert known.durations(MODEL).typical == pytest.approx(Learner(PollPolicy()).durations(MODEL).typical)
        wait = known.wait("job", MODEL, age=0)
        wait.seen = 10
        known.done(VideoJob(id="job", status=JobStatus.COMPLETED), MODEL, age=12, resumed=False)
        await experience.keep()
    assert "could not be read" in caplog.text
    assert "could not be stored" in caplog.text


async def test_a_typical_time_may_be_told(
    archive: VideoArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's own file may say how long a model takes: that is where learning begins."""
    own = tmp_path / "models.json"
    own.write_text(json.dumps({"models": [{"name": MODEL, "typical_seconds": 180}]}))
    monkeypatch.setenv("TOGETHER_VIDEO_CATALOGUE", str(own))
    async with archive.open() as ledger:
        learner = DurationHistory(ledger, PollPolicy()).learner
    assert learner.durations(MODEL).typical == pytest.approx(180, rel=0.03)
    assert learner.durations("acme/unknown").typical == pytest.approx(75, rel=0.03)
