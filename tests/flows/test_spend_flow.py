"""The daily report of what was spent: artifacts with a history, and a page in the archive that is never overwritten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.flows.spend import report_spend
from tests.facts import record_of
from together_video.errors import InputError
from together_video.ledger.records import VideoPlan
from together_video.ledger.spend import SpendReport

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]

NOW = datetime.now(UTC)


@pytest.fixture
async def spent(archive: Any, small: Any) -> Any:
    """An archive with a limit, and two records of today and one of a year ago."""
    limited = archive.model_copy(update={"monthly_limit_usd": Decimal(10)})
    async with limited.open() as ledger:
        for prompt, days in (("a fox", 0), ("an owl", 0), ("a hare", 365)):
            plan = VideoPlan(request=small(prompt, labels={"campaign": "<b>spring</b>"}))
            at = NOW - timedelta(days=days)
            record = record_of(
                plan,
                state="archived",
                claimed_at=at,
                recorded_at=at,
                cost_usd=Decimal("0.28"),
            )
            await ledger.store.put_once(ledger.layout.record(plan.id), record.model_dump_json().encode())
        await ledger.store.put_once(ledger.layout.record("a" * 24), b"{}")
    return limited


async def pages(archive: Any) -> dict[str, bytes]:
    async with archive.open() as ledger:
        listed = await ledger.store.list(ledger.layout.spend(""))
        found = {one.key: await ledger.store.get(one.key) for one in listed}
    return {key: stored.data for key, stored in found.items() if stored is not None}


async def test_a_run_writes_a_page_and_artifacts_with_a_history(prefect_api: str, spent: Any) -> None:
    """Each run adds to the artifact of the same key; the second page of a day has a name of its own."""
    first = await report_spend(archive=spent, return_state=True)
    assert first.is_completed(), first.message
    assert first.message is not None
    assert first.message.startswith("2 videos, 2 clips: 0.56 USD paid, 0.28 USD a clip.")
    assert "9.44 USD left of 10.00 USD. 1 record could not be read: run audit" in first.message
    written = await pages(spent)
    assert list(written) == [f"spend/{NOW:%Y-%m-%d}.html"]
    await report_spend(by="campaign", days=400, archive=spent)
    again = await pages(spent)
    assert len(again) == 2
    assert written.items() <= again.items()
    assert all(
        page.startswith(b"<!DOCTYPE html>") and b"<b>spring" not in page
        for page in again.values()
        if b"spring" in page
    )
    async with get_client() as client:
        for key, kind in (("spend", "markdown"), ("spend-table", "table")):
            wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
            history = await client.read_artifacts(artifact_filter=wanted)
            ours = [one for one in history if one.flow_run_id == first.state_details.flow_run_id]
            assert [one.type for one in ours] == [kind]
            assert len(history) >= 2
    (text,) = [one.data for one in history if one.flow_run_id == first.state_details.flow_run_id]
    assert "0.56 USD" in str(text)


async def test_the_report_does_not_need_a_server(spent: Any) -> None:
    """Outside of a flow run there are no artifacts; the result has the numbers."""
    state = await report_spend.fn(by="model", archive=spent)
    report = result_of(state.data)
    assert isinstance(report, SpendReport)
    assert [(row.videos, row.paid_usd) for row in report.rows] == [(2, Decimal("0.56"))]
    assert report.unreadable == (f"records/{'a' * 24}.json",)
    assert len(await pages(spent)) == 1


async def test_a_grouping_that_is_none_is_refused(archive: Any) -> None:
    """The run fails in one sentence, and nothing is written."""
    state = await report_spend.fn(by="week", archive=archive)
    assert state.is_failed()
    assert isinstance(state.data, InputError)
    assert await pages(archive) == {}
