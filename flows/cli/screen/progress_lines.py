"""What the lines about a running command say, for a terminal or a pipe. Pure functions of its standing and a width.

A width is in columns; None means that nothing needs to fit. Each line fits its width, and none is folded.
"""

from __future__ import annotations

from prefect_together_video.flows.cli.screen.folding import fold
from prefect_together_video.flows.reporting.progress import Progress
from prefect_together_video.flows.reporting.tally import Standing
from together_video.ledger.account import Account
from together_video.money import usd
from together_video.text import counted, one_line, printable

#: States of a video that nobody expects, each with its colour: every one of them gets a line, up to a bound.
PROBLEMS = {"failed": "red", "refused": "red", "ambiguous": "yellow"}
#: Characters of a title, and of what happened to its video, where there is no width.
_TITLE, _DETAIL = 60, 200
#: A bar is no wider, in columns.
_WIDEST_BAR = 40
#: Percent after which another line is due in a pipe.
_STEP_PERCENT = 5
#: Bounds of the seconds after which another line is due, and their share of the time that has passed.
_SOONEST, _LATEST, _SHARE = 10.0, 600.0, 0.2


def live_lines(standing: Standing, width: int) -> list[str]:
    """The live area: a bar, the states, the money, the time, and what is happening now."""
    lines = []
    if standing.total:
        lines.append(bar_line(standing, width))
        lines += fold(states(standing), width, "  ")
        if money := money_words(standing.account):
            lines += fold(money, width, "  ")
    lines.append(time_words(standing))
    if standing.now:
        lines.append(standing.now)
    return [printable(line, width) for line in lines]


def bar_line(standing: Standing, width: int) -> str:
    """`━━━━━━━━━━━━━━━━━━──────────────────────  12 of 60 videos`"""
    words = f"{standing.done} of {counted(standing.total, 'video')}"
    room = min(_WIDEST_BAR, width - len(words) - 2)
    if room < 10:
        return words
    full = room * standing.done // standing.total if standing.total else 0
    return f"{'━' * full}{'─' * (room - full)}  {words}"


def states(standing: Standing) -> str:
    """`10 archived, 2 reused, 20 at the provider, 28 waiting`"""
    return ", ".join(f"{count} {state}" for state, count in standing.counts.items())


def money_words(account: Account) -> str:
    """`2.80 USD paid, 5.60 USD in flight, 1.60 USD left`: what is zero is left out, but for what is paid and left."""
    amounts = [
        (account.paid, "paid"),
        (account.perhaps_paid, "perhaps paid"),
        (account.in_flight, "in flight"),
    ]
    parts = [f"{usd(amount)} {name}" for amount, name in amounts if amount or name == "paid"]
    parts += [] if account.left is None else [f"{usd(account.left)} left"]
    return ", ".join(parts)


def time_words(standing: Standing) -> str:
    """`1:12 elapsed, about 4 min to go`"""
    to_go = "" if standing.to_go is None else f", about {about(standing.to_go)} to go"
    return f"{elapsed(standing.seconds)} elapsed{to_go}"


def elapsed(seconds: float) -> str:
    """`0:07`, `12:34`, `1:02:03`"""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def about(seconds: float) -> str:
    """A time as people say it: `10 s`, `40 s`, `2 min`, `1 h 20 min`."""
    if seconds < 55:
        return f"{max(round(seconds / 5) * 5, 5)} s"
    minutes = max(round(seconds / 60), 1)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(round(minutes / 10) * 10, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def heartbeat(standing: Standing, width: int | None = None) -> list[str]:
    """How a run stands, in a pipe: one line, or several where a narrow terminal needs them.

    `0:42  12 of 60 videos: 10 archived, 2 reused, 48 waiting; 2.80 USD paid; about 4 min to go`
    """
    if not standing.total:
        words = f"{elapsed(standing.seconds)}  {standing.now or 'Starting'} …"
    else:
        to_go = "" if standing.to_go is None else f"; about {about(standing.to_go)} to go"
        words = (
            f"{elapsed(standing.seconds)}  {standing.done} of {counted(standing.total, 'video')}: {states(standing)}; "
            f"{money_words(standing.account)}{to_go}"
        )
    return [words] if width is None else fold(words, width, "      ")


def is_due(now: Standing, last: Standing | None) -> bool:
    """Whether a pipe gets another line: at every twentieth of the videos, and else ever less often.

    An hour gives some 20 lines, 200 videos another 20.
    """
    if last is None or (now.total and not last.total):
        return True
    is_step = now.done >= now.total or now.percent // _STEP_PERCENT > last.percent // _STEP_PERCENT
    if now.total and now.done != last.done and is_step:
        return True
    waited = now.seconds - last.seconds
    return waited >= min(max(last.seconds * _SHARE, _SOONEST), _LATEST)


def change_words(change: Progress) -> str:
    """`archived: a fox in the snow`, the newest change, as what is happening now."""
    return f"{change.stage}: {one_line(change.plan.title_in(_TITLE), _TITLE)}"


def problem_line(change: Progress, width: int | None = None) -> str:
    """`failed  an owl at night: the prompt was refused by the provider's filter`"""
    detail = f": {printable(change.detail, _DETAIL)}" if change.detail else ""
    line = f"{change.stage:<9}  {printable(change.plan.title_in(_TITLE), _TITLE)}{detail}"
    return line if width is None else printable(line, width)
