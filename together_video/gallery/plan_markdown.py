"""The plan of a run as Markdown, for the artifact and the form of a run that is waiting for approval."""

from __future__ import annotations

from collections.abc import Sequence

from together_video.gallery.plain_text import plain
from together_video.ledger.forecast import Fate, Forecast, price_words
from together_video.ledger.records import VideoPlan
from together_video.ledger.titles import title_of

#: At most this many videos get a row.
_ROWS = 100
_PROMPT = 300


def plan_markdown(
    title: str,
    plans: Sequence[VideoPlan],
    fates: Sequence[Fate],
    forecast: Forecast,
    *,
    problem: str = "",
    about: str = "",
    words: Sequence[str] | None = None,
) -> str:
    """Title, price, limits of the run, and a row for each video. Text of others cannot become markup.

    Args:
        problem: what was wrong with an earlier answer.
        about: remarks about all videos together, such as about the film that they make.
        words: what happens to each and its price, if the forecast does not say it all.
    """
    parts = [f"### {plain(title, 200)}"]
    if problem:
        parts.append(f"**Please answer again.** {plain(problem, 1000)}")
    parts.append(f"**{forecast.sentence}**")
    if about:
        parts.append(plain(about, 500))
    if forecast.models:
        rows = [f"| {plain(one.model, 100)} | {one.count} | {one.price} |" for one in forecast.models]
        parts.append("\n".join(["| Model | To buy | Price |", "|---|---|---|", *rows]))
    if forecast.remarks:
        parts.append("\n".join(f"- {remark}" for remark in forecast.remarks))
    parts.append("Nothing is bought before the run is resumed with the decision *approve*.")
    if words is None:
        words = [
            price_words(plan) if fate is Fate.BUY else fate for plan, fate in zip(plans, fates, strict=True)
        ]
    # The first UI cuts off wide tables, so the price comes before the texts.
    rows = [
        f"| {number} | {said} | {plain(_title(plan), _PROMPT)} | {plain(plan.request.model, 100)} |"
        for number, (plan, said) in enumerate(zip(plans, words, strict=True), 1)
    ]
    parts.append("\n".join(["| # | Price | Prompt | Model |", "|---|---|---|---|", *rows[:_ROWS]]))
    if len(rows) > _ROWS:
        parts.append(f"… and {len(rows) - _ROWS} more.")
    return "\n\n".join(parts)


def _title(plan: VideoPlan) -> str:
    # Not shortened: the person who approves must see what is bought, and the run's parameters have it anyway.
    return title_of(plan.request.prompt or "—", plan.sweep.values if plan.sweep else None, _PROMPT)
