"""What Prefect shows of a run, if there is one: Prefect is imported only when there is something to show."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from prefect_together_video.blocks.ledger.ledger import InFlight, Ledger
from prefect_together_video.flows.server.configured import may_have_server
from prefect_together_video.tasks.running.prefect_run import flow_context, is_loaded
from together_video.film.summary import FilmSummary
from together_video.ledger.records import VideoPlan, VideoRecord
from together_video.ledger.summary import Summary, VideoOutcome


@asynccontextmanager
async def progress_shown() -> AsyncIterator[None]:
    """See `progress_artifact.progress_shown`."""
    if flow_context() is None:
        yield
        return
    from prefect_together_video.flows.reporting import progress_artifact

    async with progress_artifact.progress_shown():
        yield


async def show_artifacts(
    ledger: Ledger, records: Mapping[str, VideoRecord], title: str, summary: Summary
) -> None:
    """See `artifacts.show`."""
    if flow_context() is not None:
        from prefect_together_video.flows.reporting import artifacts

        await artifacts.show(ledger, records, title, summary)


async def emit_alerts(
    ledger: Ledger, in_flight: Mapping[str, InFlight], outcomes: Iterable[VideoOutcome]
) -> None:
    """See `alerts.emit_alerts`."""
    if is_loaded():
        from prefect_together_video.flows.reporting import alerts

        await alerts.emit_alerts(ledger, in_flight, outcomes)


async def redo(plans: Iterable[VideoPlan]) -> Callable[[VideoPlan], str | None] | None:
    """See `redo_form.redo`."""
    if not may_have_server():
        return None
    from prefect_together_video.flows.reporting import redo_form

    return await redo_form.redo(plans)


def batch_finished(batch_id: str, title: str, summary: Summary, bucket: str | None) -> None:
    """See `events.batch_finished`."""
    if flow_context() is not None:
        from prefect_together_video.flows.reporting import events

        events.batch_finished(batch_id, title, summary, bucket)


def film_finished(batch_id: str, title: str, summary: FilmSummary, bucket: str | None) -> None:
    """See `events.film_finished`."""
    if flow_context() is not None:
        from prefect_together_video.flows.reporting import events

        events.film_finished(batch_id, title, summary, bucket)
