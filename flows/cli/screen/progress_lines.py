"""The progress lines of a running command, for a terminal or a pipe. Pure functions of its standing and a width.

A width is in columns; None means no limit. Each line fits its width, so the terminal folds none.
"""

from __future__ import annotations

from prefect_together_video.flows.cli.screen.folding import fold
from prefect_together_video.flows.reporting.progress import Progress
from prefect_together_video.flows.reporting.tally import Standing
from together_video.ledger.account import Account
from together_video.ledger.short_reasons import short_reason
from together_video.money import usd
from together_video.text import counted, one_line, printable

#: States of a video that are problems, with their colours. Each gets its own line, up to a limit.
PROBLEMS = {"failed": "red", "refused": "red", "ambiguous": "yellow"}
#: Most characters of a title, of a title beside a problem, and of a detail, if there is no width.
_TITLE, _SHORT_TITLE, _DETAIL = 60, 24, 200
#: Most lines of a problem, and one more if the terminal has fewer columns than `_NARROW`.
_PROBLEM_LINES, _NARROW = 2, 60
#: Widest bar, in columns.
_WIDEST_BAR = 40
#: In a pipe, another line is due after this many percent, if this many seconds have passed.
_STEP_PERCENT, _STEP_SECONDS = 5, 2.0
#: Otherwise after this share of the elapsed time, but within these bounds, in seconds.
_SOONEST, _LATEST, _SHARE = 10.0, 600.0, 0.2


def live_lines(standing: Standing, width: int) -> list[str]:
    """The live area: a bar, the states, the money, the time, the retries, and what is happening now."""
    lines = []
    if standing.total:
        lines.append(bar_line(standing, width))
        lines += fold(standing.states, width, "  ")
        if money := money_words(standing.account):
            lines += fold(money, width, "  ")
    lines.append(time_words(standing))
    if retries := retry_words(standing):
        lines.append(retries)
    if standing.now:
        lines.append(standing.now)
    return [printable(line, width) for line in lines]


def bar_line(standing: Standing, width: int) -> str:
    """`━━━━━━━━━━━━━━━━━━──────────────────────  12 of 60 videos`"""
    words = standing.headline
    room = min(_WIDEST_BAR, width - len(words) - 2)
    if room < 10:
        return words
    full = room * standing.done // standing.total if standing.total else 0
    return f"{'━' * full}{'─' * (room - full)}  {words}"


def money_words(account: Account) -> str:
    """`2.80 USD paid, 5.60 USD in flight, 1.60 USD left`. Zero amounts are left out, except paid and left."""
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


def retry_words(standing: Standing) -> str:
    """`7 retries, the last one: the API answered HTTP 503: busy`; empty if there were none."""
    why = f", the last one: {standing.retried}" if standing.retried else ""
    return f"{counted(standing.retries, 'retry', 'retries')}{why}" if standing.retries else ""


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
    """The progress of a run for a pipe: one line, or several for a narrow terminal.

    `0:42  12 of 60 videos: 10 archived, 2 reused, 48 waiting; 2.80 USD paid; about 4 min to go`
    """
    if not standing.total:
        words = (
            f"{elapsed(standing.seconds)}  {standing.now or 'Starting'} …{_after(' ', retry_words(standing))}"
        )
    else:
        to_go = "" if standing.to_go is None else f"; about {about(standing.to_go)} to go"
        words = (
            f"{elapsed(standing.seconds)}  {standing.headline}: {standing.states}; "
            f"{money_words(standing.account)}{to_go}{_after('; ', retry_words(standing))}"
        )
    return [words] if width is None else fold(words, width, "      ")


def _after(between: str, words: str) -> str:
    return f"{between}{words}" if words else ""


def is_due(now: Standing, last: Standing | None) -> bool:
    """Whether a pipe gets another line: at the end, at every twentieth of the videos with some time between, and
    otherwise less and less often.

    An hour gives about 20 lines, and 200 videos another 20.
    """
    if last is None or (now.total and not last.total):
        return True
    waited = now.seconds - last.seconds
    if now.total and now.done != last.done:
        is_step = now.percent // _STEP_PERCENT > last.percent // _STEP_PERCENT
        if now.done >= now.total or (is_step and waited >= _STEP_SECONDS):
            return True
    return waited >= min(max(last.seconds * _SHARE, _SOONEST), _LATEST)


def change_words(change: Progress) -> str:
    """`archived: a fox in the snow`: the newest change, shown as what is happening now."""
    return f"{change.stage}: {one_line(change.plan.title_in(_TITLE), _TITLE)}"


def problem_lines(change: Progress, width: int | None = None) -> list[str]:
    """`failed     an owl at night: perhaps paid 0.28 USD: the provider's filter refused the prompt`

    The possible cost and the reason come first; the table has the whole message. On a terminal it takes at most two or
    three lines, all indented but the first.
    """
    title = one_line(change.plan.title_in(_SHORT_TITLE), _SHORT_TITLE)
    reason = short_reason(change.detail)
    words = printable(f"{change.stage:<9}  {title}: {_cost(change)}{reason and ': '}{reason}", _DETAIL)
    if width is None:
        return [words]
    lines = fold(words, width, " " * 11)
    most = _PROBLEM_LINES + (width < _NARROW)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1][: width - 2]} …"]
    return [printable(line, width) for line in lines]


def _cost(change: Progress) -> str:
    """What a missing video has cost, or may cost."""
    account = change.account
    if account.paid:
        return f"{usd(account.paid)} paid"
    if account.perhaps_paid:
        return f"{usd(account.perhaps_paid)} perhaps paid"
    return "perhaps paid" if change.stage == "ambiguous" else "nothing paid"
