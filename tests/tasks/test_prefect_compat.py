"""The private parts of Prefect that are used are there, and do what they are used for."""

from __future__ import annotations

import pytest
from prefect import flow, task
from prefect.blocks.core import Block
from prefect.concurrency import asyncio as concurrency
from prefect.context import FlowRunContext

from prefect_together_video.tasks.running.prefect_compat import (
    ConcurrencySlotAcquisitionError,
    document_id,
    without_results,
)


class Pebble(Block):
    """A block of the tests."""

    weight: int = 1


@pytest.mark.anyio
async def test_a_step_leaves_no_results_behind(prefect_api: str) -> None:
    """Prefect notes results in the context that is active; in ours they end with the step."""

    @task
    def number() -> list[int]:
        return [1000]

    @flow
    def counting() -> tuple[int, int]:
        context = FlowRunContext.get()
        assert context is not None
        with without_results(context) as copy:
            kept = number()
            inside = len(copy.run_results)
        assert kept == [1000]
        return inside, len(context.run_results)

    inside, outside = counting()
    assert inside > 0
    assert outside == 0


@pytest.mark.anyio
async def test_a_saved_block_has_an_id(prefect_api: str) -> None:
    """That of the server; one that was not saved has none."""
    assert document_id(Pebble()) is None
    saved = await Pebble().save("grey", overwrite=True)  # type: ignore[misc]
    assert document_id(await Pebble.load("grey")) == saved  # type: ignore[misc]
    await Pebble.delete("grey")  # type: ignore[misc]


@pytest.mark.anyio
async def test_a_rate_limit_that_cannot_be_asked_for_raises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the very name that is caught."""
    assert issubclass(ConcurrencySlotAcquisitionError, Exception)
    assert ConcurrencySlotAcquisitionError in vars(concurrency).values()
