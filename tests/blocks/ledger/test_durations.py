"""What jobs of a model took, kept in the bucket: written once, the newest read, damage without harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prefect_together_video.blocks.ledger.durations import DurationStatistics
from prefect_together_video.blocks.s3.store import ObjectStore
from together_video.ledger.layout import Layout
from together_video.polling.learner import DurationFacts

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = "acme/dream-1"
LAYOUT = Layout(prefix="films")


@pytest.fixture
def statistics(store: ObjectStore) -> DurationStatistics:
    return DurationStatistics(store, LAYOUT)


def facts(count: int, *, days: int = 0, model: str = MODEL) -> DurationFacts:
    return DurationFacts(
        model=model, written_at=NOW + timedelta(days=days), seconds=tuple(range(1, count + 1))
    )


async def test_the_newest_that_knows_most_is_read(statistics: DurationStatistics) -> None:
    """Of one day the fact of the most durations, of several days the last day's; of this model only."""
    assert await statistics.newest(MODEL) is None
    for kept in (facts(3), facts(20), facts(7)):
        assert await statistics.keep(kept)
    assert await statistics.newest(MODEL) == facts(20)
    await statistics.keep(facts(9, days=1))
    assert await statistics.newest(MODEL) == facts(9, days=1)
    assert await statistics.newest("acme/dream-2") is None


async def test_a_fact_is_never_changed(statistics: DurationStatistics) -> None:
    """A later run of the day that knows as many adds nothing, so a model has one a day at last."""
    first = facts(100)
    assert await statistics.keep(first)
    assert not await statistics.keep(first.model_copy(update={"seconds": (5.0,) * 100}))
    assert await statistics.newest(MODEL) == first


async def test_two_models_of_one_folder_are_told_apart(statistics: DurationStatistics) -> None:
    """Their names differ where a folder's cannot."""
    await statistics.keep(facts(3, model="acme/dream_1"))
    assert await statistics.newest("acme/dream-1") is None


async def test_what_is_not_ours_is_nothing(statistics: DurationStatistics, store: ObjectStore) -> None:
    """Other objects are not statistics, and a later fact comes after them."""
    key = LAYOUT.statistics("acme-dream-1", "2026-11-21-999.json")
    await store.put_once(key, b"<html>")
    assert await statistics.newest(MODEL) is None
    await statistics.keep(facts(3, days=1))
    found: Any = await statistics.newest(MODEL)
    assert found.seconds == (1, 2, 3)
