"""One video of a gallery, as the finished text of its card."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC
from typing import Any

from together_video.gallery.commands import Commands, commands_of
from together_video.gallery.links import safe_link
from together_video.gallery.prices import MONEY_TERMS, prices
from together_video.gallery.public import public_labels, public_outcome, public_payload
from together_video.gallery.public_text import public_text
from together_video.gallery.rows import GalleryRow
from together_video.gallery.takes import next_takes
from together_video.gallery.wording import WORDS
from together_video.ledger.records import Sweep, VideoPlan, VideoRecord
from together_video.ledger.summary import GOOD, VideoOutcome
from together_video.money import usd_number

#: Longest prompt on a card, in characters. Longer ones are cut at a word, and a disclosure has the whole.
_PROMPT_SHOWN = 200


#: Facts that a small card shows too, and those of them that need no term there.
_BRIEF = {"Length", "Cost", *MONEY_TERMS}
_PLAIN = {"Length", "Cost"}


@dataclass(frozen=True)
class Card:
    """What the template shows of one video, as finished text, and what the page's script needs to know about it.

    `word` is the state in a viewer's words. `is_ready` says that the card need not show it. `fills` says that the
    picture has nearly the shape of its frame and can fill it.
    """

    state: str
    word: str
    meaning: str
    is_ready: bool
    reason: str
    model: str
    alt: str
    prompt: str
    whole_prompt: str | None
    error: str
    message: str | None
    notes: tuple[str, ...]
    video: str | None
    poster: str | None
    fills: bool
    varied: tuple[tuple[str, str], ...]
    brief_facts: tuple[str, ...]
    facts: list[tuple[str, str]]
    details: list[tuple[str, str]]
    payload: str | None
    redo: str | None
    mark: str | None
    note: str
    take: int | None
    is_used: bool
    data: dict[str, Any]


def card_of(
    row: GalleryRow,
    link: Callable[[str], str | None],
    redo: Callable[[VideoPlan], str | None] | None = None,
    *,
    next_take: Callable[[VideoPlan], int] | None = None,
    shape: float = 16 / 9,
    retake: Callable[[int], Commands | None] | None = None,
) -> Card:
    """The card of a row.

    `next_take` gives the number of the next take of the same request, by default that of this video plus one. `shape`
    is the width of the frames divided by their height. `retake` gives the command for another take of a film's shot, by
    the shot's number.
    """
    row = row.model_copy(update={"outcome": public_outcome(row.outcome), "note": public_text(row.note)})
    outcome, record, plan = row.outcome, row.record, row.made_by
    next_take = next_take or next_takes([])
    key = outcome.key or (record.video.key if record and record.video else None)
    poster = record.poster.key if record and record.poster else None
    video = safe_link(link(key)) if key else None
    word, meaning = WORDS[outcome.state]
    sweep = sweep_of(row)
    prompt, whole_prompt = _cut(outcome.prompt or "", _PROMPT_SHOWN)
    message = outcome.error or public_text((record and record.error) or "")
    is_ready = outcome.state in GOOD
    # What happened, in a viewer's words. The provider's own words are behind the card.
    error = meaning if message and not is_ready else ""
    facts = _facts(outcome, record)
    return Card(
        state=outcome.state.value,
        word=word,
        meaning=meaning,
        is_ready=is_ready,
        reason="The page has no link to this file." if key else meaning,
        model=outcome.model,
        alt=_cut(" ".join((outcome.prompt or outcome.model).split()), 100)[0],
        prompt=prompt,
        whole_prompt=whole_prompt,
        error=error,
        message=message or None,
        notes=tuple(map(public_text, record.notes)) if record else (),
        video=video,
        poster=safe_link(link(poster)) if poster and video else None,
        fills=_fills(outcome, shape),
        varied=tuple((name.replace("_", " "), value) for name, value in sweep.values.items())
        if sweep
        else (),
        brief_facts=tuple(
            value if term in _PLAIN else f"{term.lower()}: {value}" for term, value in facts if term in _BRIEF
        ),
        facts=facts,
        details=_details(outcome, record, plan),
        payload=json.dumps(public_payload(plan.request), indent=2, ensure_ascii=False) if plan else None,
        redo=safe_link(redo(plan)) if redo and plan else None,
        mark=row.mark,
        note=row.note,
        take=row.in_film.take if row.in_film else None,
        is_used=row.in_film is not None and row.in_film.is_used,
        data=_data(row, plan, key if video else None, _commands(row, next_take, retake)),
    )


def _commands(
    row: GalleryRow,
    next_take: Callable[[VideoPlan], int],
    retake: Callable[[int], Commands | None] | None,
) -> Commands | None:
    if row.in_film is not None and retake is not None:
        return retake(row.in_film.shot)
    plan = row.made_by
    return commands_of(plan, take=next_take(plan)) if plan else None


def _fills(outcome: VideoOutcome, shape: float) -> bool:
    """Cut off at most a twelfth of the picture, rather than show hair-thin bars."""
    if not outcome.width or not outcome.height:
        return False
    return abs(math.log(outcome.width / outcome.height / shape)) < 0.08


def _data(
    row: GalleryRow, plan: VideoPlan | None, key: str | None, commands: Commands | None
) -> dict[str, Any]:
    """What the script needs to sort, filter, copy and save. Texts that the card shows are not repeated."""
    outcome, record, price = row.outcome, row.record, row.outcome.price
    sweep = sweep_of(row)
    found = {
        "id": outcome.id,
        "word": WORDS[outcome.state][0],
        "ready": outcome.state in GOOD,
        "model": outcome.model,
        "seconds": outcome.seconds if outcome.seconds is None or math.isfinite(outcome.seconds) else None,
        "cost": usd_number(price.paid) if price.paid or outcome.cost_usd is not None else None,
        "unsure": usd_number(unsure) if (unsure := price.perhaps_paid + price.in_flight) else None,
        "size": outcome.size,
        "made": record.recorded_at.astimezone(UTC).isoformat() if record else None,
        "labels": outcome.labels,
        "mark": row.mark,
        "note": row.note,
        "file": file_name(key) if key else None,
        "command": {name: part for name, part in asdict(commands).items() if part is not None}
        if commands
        else None,
        "values": [str(row.in_film.take)] if row.in_film else list(sweep.values.values()) if sweep else None,
    }
    return {name: value for name, value in found.items() if value not in (None, "", {}, [])}


def file_name(key: str) -> str:
    """The last part of a key, as a file name that every system accepts."""
    return re.sub(r"[^\w.-]+", "_", key.rpartition("/")[2])[-150:].lstrip(".") or "video"


def sweep_of(row: GalleryRow) -> Sweep | None:
    """The sweep of this run. The record of an earlier run may name a line of another file."""
    sweep = row.plan.sweep if row.plan else row.record.plan.sweep if row.record else None
    return sweep and sweep.model_copy(update={"values": public_labels(sweep.values)})


def _facts(outcome: VideoOutcome, record: VideoRecord | None) -> list[tuple[str, str]]:
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
    return [*facts, *prices(outcome)]


def _details(
    outcome: VideoOutcome, record: VideoRecord | None, plan: VideoPlan | None
) -> list[tuple[str, str]]:
    """Details behind a card: names of objects, and how the video was made."""
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
        "Requested model": outcome.asked_model,
        "State": outcome.state.value,
        "Failed attempts": str(outcome.failed) if outcome.failed else None,
        "Prompt written by": origin.chat_model if origin else None,
        "Run": record.run.flow_run_name if record else None,
    }
    return [*outcome.labels.items(), *((term, value) for term, value in found.items() if value)]


def _cut(text: str, length: int) -> tuple[str, str | None]:
    """The text and None, or its beginning, cut at a word, and the whole text."""
    if len(text) <= length:
        return text, None
    start = text[:length]
    return (start.rsplit(None, 1)[0] if " " in start[length // 2 :] else start) + "…", text


def file_size(size: int) -> str:
    for unit, least in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= least:
            return f"{size / least:.3g} {unit}" if size < 1000 * least else f"{size / least:,.0f} {unit}"
    return f"{size} bytes"
