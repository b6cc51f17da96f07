"""What the collector tells once: a share of the monthly limit, and doubts that are a day old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.blocks.ledger.ledger import InFlight
from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.flows.reporting import alerts, events
from together_video.errors import StoreUnavailable
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import VideoOutcome, VideoState

pytestmark = pytest.mark.anyio

Sent = list[tuple[str, dict[str, str], dict[str, Any]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What was emitted, as if in a flow run."""
    found: Sent = []
    monkeypatch.setattr(events, "are_heard", lambda: True)
    monkeypatch.setattr(
        events, "emit_event", lambda event, *, resource, payload: found.append((event, resource, payload))
    )
    return found


def at_days(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(days=days)

    monkeypatch.setattr(alerts, "datetime", Clock)


def doubt(video: str = "a" * 24, state: VideoState = VideoState.AMBIGUOUS) -> VideoOutcome:
    return VideoOutcome(id=video, model="m", prompt="a fox", state=state, error="no clear answer")


def in_flight(*videos: str) -> dict[str, InFlight]:
    return {video: InFlight(since=datetime.now(UTC), facts=frozenset({"claim.json"})) for video in videos}


async def test_a_doubt_is_told_once_a_day_from_the_second_day_on(
    archive: Any, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Collectors run every ten minutes; jobs that merely run are not ambiguous."""
    other = "b" * 24
    found = in_flight("a" * 24, other)
    outcomes = [doubt(), doubt(other, VideoState.SUBMITTED)]
    async with archive.open() as ledger:
        for days, told in ((0.9, 0), (1.1, 1), (1.1, 1), (2.2, 2), (2.2, 2)):
            at_days(monkeypatch, days)
            await alerts.emit_alerts(ledger, found, outcomes)
            assert len(sent) == told, days
    event, resource, payload = sent[-1]
    assert event == "together-video.video.ambiguous-for-a-day"
    assert resource["prefect.resource.id"] == f"together-video.video.{'a' * 24}"
    assert (payload["days"], payload["title"], payload["error"]) == (2, "a fox", "no clear answer")


async def test_shares_of_the_limit_are_told_once_a_month(archive: Any, sent: Sent) -> None:
    """Without a limit there is nothing to tell, and nothing is written."""
    async with archive.open() as ledger:
        await alerts.emit_alerts(ledger, {}, [])
    limited = archive.model_copy(update={"monthly_limit_usd": Decimal(10)})
    async with limited.open() as ledger:
        await alerts.emit_alerts(ledger, {}, [])
        assert sent == []
        assert await ledger.store.list(ledger.layout.key("alerts", "")) == []
        await ledger.spending.reserve("a" * 24, Decimal("8.5"))
        for _ in range(2):
            await alerts.emit_alerts(ledger, {}, [])
    assert [(event, resource["together-video.percent"]) for event, resource, _ in sent] == [
        ("together-video.month.reached", "050"),
        ("together-video.month.reached", "080"),
    ]
    assert sent[-1][2] == {
        "month": f"{datetime.now(UTC):%Y-%m}",
        "percent": 80,
        "counted_usd": 8.5,
        "limit_usd": 10.0,
        "left_usd": 1.5,
        "sentence": sent[-1][2]["sentence"],
    }


async def test_outside_of_a_flow_run_nothing_counts_as_told(archive: Any) -> None:
    """Else the command line would take the alert from the deployment."""
    limited = archive.model_copy(update={"monthly_limit_usd": Decimal(10)})
    async with limited.open() as ledger:
        await ledger.spending.reserve("a" * 24, Decimal("8.5"))
        await alerts.emit_alerts(ledger, {}, [])
        assert await ledger.store.list(ledger.layout.key("alerts", "")) == []


async def test_a_store_that_is_away_stops_no_collector(
    archive: Any, sent: Sent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged; the videos are what matters."""
    at_days(monkeypatch, 1.5)

    async def away(prefix: str) -> Any:
        raise StoreUnavailable("S3 does not answer.")

    async with archive.open() as ledger:
        monkeypatch.setattr(ledger.store, "list", away)
        await alerts.emit_alerts(ledger, in_flight("a" * 24), [doubt()])
    assert sent == []
    assert "S3 does not answer." in caplog.text


async def test_the_collector_emits_them(archive: Any, api: Any, sent: Sent, small: Any) -> None:
    """Of all that it finds in flight, beside what it does for the videos."""
    limited = archive.model_copy(update={"monthly_limit_usd": Decimal(1)})
    async with limited.open() as ledger:
        plan = VideoPlan(request=small("an owl"), estimate_usd=Decimal("0.95"))
        claim = await ledger.claim(plan, valid_seconds=250)
        assert claim is not None
        await ledger.ambiguous(claim, None)
    with pytest.MonkeyPatch.context() as patch:
        at_days(patch, 1.5)
        await collect_videos.fn(together=api.credentials(), archive=limited)
    ours = [(event, payload.get("percent") or payload.get("days")) for event, _, payload in sent]
    assert [one for one in ours if "video.ambiguous" in one[0]] == [
        ("together-video.video.ambiguous-for-a-day", 1)
    ]
    assert [percent for event, percent in ours if event == "together-video.month.reached"] == [50, 80, 90]
