"""The description of a run's progress bar: written by a child run, read by the run that it is a part of."""

from __future__ import annotations

import re
from decimal import Decimal

from prefect_together_video.flows.reporting.happenings import PartProgress
from prefect_together_video.flows.reporting.tally import ORDER, Standing
from together_video.ledger.account import Account
from together_video.money import usd

#: Longest description that is read.
_LONGEST = 400
_COUNT = re.compile(rf"(\d{{1,6}}) ({'|'.join(ORDER)})(?=[,;]|$)", re.ASCII)
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,4})?) USD (paid|perhaps paid|in flight)(?=,|$)", re.ASCII)


def progress_words(standing: Standing) -> str:
    """`12 of 40 videos: 10 archived, 2 reused, 5 at the provider, 23 waiting; 2.80 USD paid, 1.40 USD in flight`"""
    account = standing.account
    amounts = {"paid": account.paid, "perhaps paid": account.perhaps_paid, "in flight": account.in_flight}
    money = ", ".join(f"{usd(amount)} {name}" for name, amount in amounts.items() if amount)
    words = f"{standing.headline}: {standing.states}"
    return f"{words}; {money}" if money else words


def part_progress(words: str | None, number: int, parts: int, total: int) -> PartProgress:
    """What a child run's progress bar says. Numbers that are missing, or cannot be true, count as zero.

    Args:
        words: the description as the Prefect server has it, which others may have written.
        total: how many videos the part has.
    """
    said = (words or "")[:_LONGEST]
    counts = {state: int(count) for count, state in _COUNT.findall(said)}
    if sum(counts.values()) > total:
        return PartProgress(number, parts, total)
    amounts = {name: Decimal(amount) for amount, name in _AMOUNT.findall(said)}
    account = Account(
        paid=amounts.get("paid", Decimal(0)),
        perhaps_paid=amounts.get("perhaps paid", Decimal(0)),
        in_flight=amounts.get("in flight", Decimal(0)),
    )
    return PartProgress(number, parts, total, counts, account)
