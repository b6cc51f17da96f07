"""One video of a gallery as the finished text of its card."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from together_video.gallery.links import safe_link
from together_video.ledger.records import Sweep, VideoPlan, VideoRecord
from together_video.ledger.reviews import Mark
from together_video.ledger.summary import GOOD, VideoOutcome, VideoState
from together_video.money import usd

#: Longer texts are cut at a word, with the whole behind a disclosure. In characters.
_PROMPT_SHOWN, _ERROR_SHOWN, _VALUE_SHOWN = 200, 400, 2_000

_MEANING = {
    VideoState.ARCHIVED: "Made and archived in this run.",
    VideoState.REUSED: "Archived earlier, and reused free of charge.",
    VideoState.FAILED: "The provider gave up on this video.",
    VideoState.REFUSED: "Refused: nothing was created.",
    VideoState.AMBIGUOUS: "It may have been charged. It is held, and not bought again by itself.",
    VideoState.SUBMITTED: "Still being made at the provider, and billed. A later run brings it home.",
    VideoState.SKIPPED: "Not started.",
}


class GalleryRow(BaseModel):
    """One card: how the video ended, and its record or at least its plan where there is one.

    `mark` and `note` are what reviewers have said of it so far.
    """

    model_config = ConfigDict(frozen=True)

    outcome: VideoOutcome
    record: VideoRecord | None = None
    plan: VideoPlan | None = None
    mark: Literal["star", "reject"] | None = None
    note: str = ""


def marked(row: GalleryRow, marks: Mapping[str, Mark]) -> GalleryRow:
    """The row with the mark that counts for its video, if there is one."""
    mark = marks.get(row.outcome.id)
    return row if mark is None else row.model_copy(update={"mark": mark.mark, "note": mark.note})


@dataclass(frozen=True)
class Card:
    """What the template shows of one video, as finished text."""

    state: str
    meaning: str
    reason: str
    model: str
    alt: str
    prompt: str
    whole_prompt: str | None
    error: str
    whole_error: str | None
    notes: tuple[str, ...]
    video: str | None
    poster: str | None
    varied: tuple[tuple[str, str], ...]
    facts: list[tuple[str, str]]
    details: list[tuple[str, str]]
    payload: str | None
    redo: str | None
    mark: str | None
    note: str


def card_of(
    row: GalleryRow,
    link: Callable[[str], str | None],
    redo: Callable[[VideoPlan], str | None] | None = None,
) -> Card:
    outcome, record = row.outcome, row.record
    plan = record.plan if record else row.plan
    key = outcome.key or (record.video.key if record and record.video else None)
    poster = record.poster.key if record and record.poster else None
    video = safe_link(link(key)) if key else None
    meaning = _MEANING[outcome.state]
    sweep = sweep_of(row)
    prompt, whole_prompt = _cut(outcome.prompt or "", _PROMPT_SHOWN)
    error, whole_error = _cut(outcome.error or (record and record.error) or "", _ERROR_SHOWN)
    return Card(
        state=outcome.state.value,
        meaning=meaning,
        reason="The page has no link to this file." if key else meaning,
        model=outcome.model,
        alt=_cut(" ".join((outcome.prompt or outcome.model).split()), 100)[0],
        prompt=prompt,
        whole_prompt=whole_prompt,
        error=error,
        whole_error=whole_error,
        notes=record.notes if record else (),
        video=video,
        poster=safe_link(link(poster)) if poster and video else None,
        varied=tuple((name.replace("_", " "), value) for name, value in sweep.values.items())
        if sweep
        else (),
        facts=_facts(outcome, record, plan),
        details=_details(outcome, record, plan),
        payload=json.dumps(_shown(plan.request.payload()), indent=2, ensure_ascii=False) if plan else None,
        redo=safe_link(redo(plan)) if redo and plan else None,
        mark=row.mark,
        note=row.note,
    )


def sweep_of(row: GalleryRow) -> Sweep | None:
    """The sweep of this run: a record of an earlier run may name another file's line."""
    return row.plan.sweep if row.plan else row.record.plan.sweep if row.record else None


def _facts(
    outcome: VideoOutcome, record: VideoRecord | None, plan: VideoPlan | None
) -> list[tuple[str, str]]:
    clip = record.clip if record else None
    facts = []
    if outcome.seconds is not None and math.isfinite(outcome.seconds):
        facts.append(("Length", f"{outcome.seconds:.1f}".removesuffix(".0") + " s"))
    if outcome.width and outcome.height:
        facts.append(("Size", f"{outcome.width}×{outcome.height}"))
    if clip and clip.fps:
        facts.append(("Rate", f"{clip.fps:.4g} fps"))
    if clip:
        facts.append(("Sound", "yes" if clip.has_audio else "no"))
    if record and record.video:
        facts.append(("File", file_size(record.video.size)))
    if outcome.cost_usd is not None:
        earlier = " (paid earlier)" if outcome.state is VideoState.REUSED else ""
        facts.append(("Cost", usd(outcome.cost_usd) + earlier))
    elif plan and plan.estimate_usd is not None and outcome.state is not VideoState.REFUSED:
        facts.append(("Estimate", usd(plan.estimate_usd)))
    if outcome.job_id and outcome.state not in GOOD:
        facts.append(("Job", outcome.job_id))
    return facts


def _details(
    outcome: VideoOutcome, record: VideoRecord | None, plan: VideoPlan | None
) -> list[tuple[str, str]]:
    made = record.recorded_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if record else None
    origin = plan.origin if plan else None
    found = {
        "Id": outcome.id,
        "Job": outcome.job_id,
        "SHA-256": outcome.sha256,
        "Bucket": outcome.bucket,
        "Key": outcome.key,
        "Codec": record.clip.codec if record and record.clip else None,
        "Recorded": made,
        "Take": str(plan.take) if plan and plan.take > 1 else None,
        "Edition": plan.edition if plan and plan.edition != "once" else None,
        "Attempt": str(plan.attempt) if plan and plan.attempt > 1 else None,
        "Asked for": outcome.asked_model,
        "Failed before": str(outcome.failed) if outcome.failed else None,
        "Prompt by": origin.chat_model if origin else None,
        "Run": record.run.flow_run_name if record else None,
    }
    return [*outcome.labels.items(), *((term, value) for term, value in found.items() if value)]


def _cut(text: str, length: int) -> tuple[str, str | None]:
    """The text and None; or its beginning, cut at a word, and the whole."""
    if len(text) <= length:
        return text, None
    start = text[:length]
    return (start.rsplit(None, 1)[0] if " " in start[length // 2 :] else start) + "…", text


def _shown(value: Any) -> Any:
    """JSON without what a page should not carry: embedded files, signed query strings."""
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, str) and value.startswith("data:"):
        return f"{value[:40].partition(',')[0]},… ({len(value):,} characters)"
    if isinstance(value, str) and len(value) > _VALUE_SHOWN:
        return f"{value[:_VALUE_SHOWN]}… ({len(value):,} characters)"
    if isinstance(value, str) and re.match(r"https?://[^\s?]+\?", value):
        return value.partition("?")[0] + "?…"
    return value


def file_size(size: int) -> str:
    for unit, least in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= least:
            return f"{size / least:.3g} {unit}" if size < 1000 * least else f"{size / least:,.0f} {unit}"
    return f"{size} bytes"
