"""Storyboards that others drop into the archive's inbox, beside the files that `inputs.inbox` reads.

A storyboard is a YAML file, or one JSON object with `shots` and without `subject`; with `subject` it is a brief.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from together_video.film.plan import FilmPlan
from together_video.film.reading import storyboard_in
from together_video.film.storyboard import Storyboard
from together_video.film.summary import FilmSummary
from together_video.inputs.fallbacks import with_tries
from together_video.inputs.inbox import Order, read_order, refuse_above
from together_video.ledger.plans import plan_videos
from together_video.ledger.summary import GOOD, VideoOutcome, VideoState
from together_video.media.sources import refuse_paths
from together_video.text import printable
from together_video.tries import Tries

_YAML = (".yaml", ".yml")


def read_film_or_order(
    name: str,
    data: bytes,
    *,
    limit_usd: float | None = None,
    usual: Tries = Tries(),  # noqa: B008 - frozen
) -> Storyboard | Order:
    """What a file asks for, checked: a film, or what `read_order` returns.

    Args:
        limit_usd: the most that it may cost, by the highest estimate, in US dollars.
        usual: the default attempts and fallback models of a run.

    Raises:
        InputError: it cannot be used. The message gives the whole reason.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in _YAML and not _is_storyboard(data):
        return read_order(name, data, limit_usd=limit_usd, usual=usual)
    board = storyboard_in(data, printable(name), suffix if suffix in _YAML else ".json")
    plan = FilmPlan.of(board)
    plan.refuse_errors()
    refuse_paths([one.request for one in plan.shots], "Shot")
    bought = [one for one in plan.shots if one.same_as is None]
    requests = [one.request for one in bought]
    prices = [one.estimate.usd for one in bought]
    plans, _ = with_tries(plan_videos(requests, prices=prices), [usual] * len(requests))
    refuse_above(limit_usd, plans)
    return board


def held_up(board: Storyboard, summary: FilmSummary) -> list[VideoOutcome]:
    """The shots that were not started, except those that only lack the shot they are made from."""
    outcomes = {one.id: one for one in summary.videos}
    ends = {one.shot: outcomes[one.id] for one in summary.shots}
    return [
        end
        for number, end in ends.items()
        if end.state is VideoState.SKIPPED
        and not (board.shots[number - 1].is_chained and ends[number - 1].state not in GOOD)
    ]


def _is_storyboard(data: bytes) -> bool:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "shots" in value and "subject" not in value
