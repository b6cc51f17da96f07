"""Events for Prefect's automations: a video, a batch or a film ended, or money ran out.

Each has its own resource (`together-video.video.<id>`, `together-video.batch.<id>`), with the flow run as a related
resource, which Prefect adds. Outside of a flow run there are no events.
"""

from __future__ import annotations

from typing import Any

from prefect.context import FlowRunContext
from prefect.events import emit_event
from prefect.utilities.urls import url_for

from together_video.film.summary import FilmSummary
from together_video.ledger.alerts import MonthReached
from together_video.ledger.approval import Waiting
from together_video.ledger.forecast import Forecast
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.money import usd_number
from together_video.text import printable

#: The states of a video that others may want to act on.
_TOLD = frozenset({VideoState.ARCHIVED, VideoState.FAILED, VideoState.AMBIGUOUS})
#: Longest text in a payload, in characters: a prompt may have 30,000.
_TEXT = 2_000


def video_ended(plan: VideoPlan, outcome: VideoOutcome) -> None:
    """`together-video.video.archived`, `.failed` or `.ambiguous`; other states emit no event."""
    if outcome.state not in _TOLD:
        return
    payload: dict[str, Any] = {
        **{name: value for name, value in outcome.as_json().items() if name not in {"prompt", "error"}},
        "title": plan.title,
        "prompt": _short(outcome.prompt),
        "labels": plan.request.labels,
        "error": _short(outcome.error),
        "batch_id": plan.batch_id,
        "edition": plan.edition,
    }
    resource = {
        "prefect.resource.id": f"together-video.video.{outcome.id}",
        "prefect.resource.name": printable(plan.title, 100),
        "together-video.model": outcome.model,
        "together-video.state": outcome.state.value,
    }
    _emit(f"together-video.video.{outcome.state}", resource, payload)


def budget_reached(plan: VideoPlan, reason: str) -> None:
    """`together-video.budget.reached`: the first video that a budget or the monthly limit kept from starting."""
    name = plan.batch_id or plan.id
    resource = {"prefect.resource.id": f"together-video.budget.{name}"}
    _emit("together-video.budget.reached", resource, {"batch_id": plan.batch_id, "reason": _short(reason)})


def approval_wanted(proposal: Waiting, forecast: Forecast) -> None:
    """`together-video.plan.waiting`: a run is suspended until a person approves its plan; `url` is its page."""
    payload = {
        "batch_id": proposal.batch_id,
        "title": printable(proposal.title, 200),
        "sentence": forecast.sentence,
        "flow_run_id": proposal.run,
        "url": url_for("flow-run", obj_id=proposal.run),
        "until": proposal.until.isoformat(),
        "plan": forecast.as_json(),
    }
    resource = {
        "prefect.resource.id": f"together-video.plan.{proposal.batch_id}",
        "prefect.resource.name": printable(proposal.title, 100),
    }
    _emit("together-video.plan.waiting", resource, payload)


def batch_finished(batch_id: str, title: str, summary: Summary, bucket: str | None) -> None:
    """`together-video.batch.finished`, with the counts, the cost and where the gallery is."""
    place = {"page": summary.page, "page_uri": summary.page_uri}
    _finished("together-video.batch.finished", batch_id, title, summary, {"bucket": bucket, **place})


def film_finished(batch_id: str, title: str, summary: FilmSummary, bucket: str | None) -> None:
    """`together-video.film.finished`, with the counts, the cost and where the film is, if there is one."""
    place: dict[str, Any] = {"key": None, "uri": None, "seconds": None}
    if (film := summary.film) is not None:
        place = {"key": film.key, "uri": film.uri, "seconds": film.seconds}
    _finished("together-video.film.finished", batch_id, title, summary, {"bucket": bucket, **place})


def _finished(event: str, batch_id: str, title: str, summary: Summary, place: dict[str, Any]) -> None:
    payload = {
        "batch_id": batch_id,
        "title": printable(title, 200),
        "sentence": summary.sentence,
        "is_good": summary.is_good,
        "counts": summary.counts,
        **summary.account.as_json(),
        "failed_percent": summary.failed_percent,
        **place,
    }
    resource = {
        "prefect.resource.id": f"{event.removesuffix('finished')}{batch_id}",
        "prefect.resource.name": printable(title, 100),
        # Automations compare labels, only as text.
        "together-video.failed-percent": f"{summary.failed_percent:03}",
    }
    _emit(event, resource, payload)


def month_reached(alert: MonthReached) -> None:
    """`together-video.month.reached`: a share of the archive's monthly limit is paid, perhaps paid or in flight."""
    resource = {
        "prefect.resource.id": f"together-video.month.{alert.month}",
        "prefect.resource.name": alert.month,
        "together-video.percent": f"{alert.percent:03}",
    }
    payload = {
        "month": alert.month,
        "percent": alert.percent,
        "counted_usd": usd_number(alert.counted_usd),
        "limit_usd": usd_number(alert.limit_usd),
        "left_usd": usd_number(alert.left_usd),
        "sentence": alert.sentence,
    }
    _emit("together-video.month.reached", resource, payload)


def ambiguous_for_days(outcome: VideoOutcome, days: int) -> None:
    """`together-video.video.ambiguous-for-a-day`: for this many days nobody has decided about an ambiguous video."""
    resource = {
        "prefect.resource.id": f"together-video.video.{outcome.id}",
        "prefect.resource.name": printable(outcome.title_in(100), 100),
        "together-video.model": outcome.model,
    }
    payload = {
        "id": outcome.id,
        "title": printable(outcome.title_in(100), 100),
        "model": outcome.model,
        "days": days,
        "error": _short(outcome.error),
    }
    _emit("together-video.video.ambiguous-for-a-day", resource, payload)


def are_heard() -> bool:
    """Whether there is a flow run for events; outside of one nothing would receive them."""
    return FlowRunContext.get() is not None


def _emit(event: str, resource: dict[str, str], payload: dict[str, Any]) -> None:
    if are_heard():
        emit_event(event, resource=resource, payload=payload)


def _short(text: str | None) -> str | None:
    return None if text is None else printable(text, _TEXT)
