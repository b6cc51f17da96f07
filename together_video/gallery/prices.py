"""What videos cost, in a viewer's words: on each card, and added up in a page's heading."""

from __future__ import annotations

from decimal import Decimal

from together_video.ledger.account import Account
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.money import usd, usd_cell

_PERHAPS, _LATER, _ESTIMATE, _TRIES = "Perhaps paid", "Not billed yet", "Estimate", "Failed attempts"
#: The terms that `prices` uses, apart from "Cost".
MONEY_TERMS = (_PERHAPS, _LATER, _ESTIMATE, _TRIES)


def prices(outcome: VideoOutcome) -> list[tuple[str, str]]:
    """The amounts of one video, as terms and values: its cost, or the most that it may cost, and the cost of its failed
    attempts.
    """
    own = outcome.own_price
    found = []
    if outcome.cost_usd is not None:
        found.append(("Cost", usd(own.paid) + (" (paid earlier)" if outcome.was_paid_earlier else "")))
    elif own.perhaps_paid:
        found.append((_PERHAPS, usd(own.perhaps_paid)))
    elif own.in_flight:
        found.append((_LATER, f"up to {usd(own.in_flight)}"))
    elif outcome.state is VideoState.AMBIGUOUS:
        found.append((_PERHAPS, "amount unknown"))
    elif outcome.state is VideoState.SKIPPED and outcome.estimate_usd is not None:
        found.append((_ESTIMATE, usd(outcome.estimate_usd)))
    tries = outcome.failed_account
    said = [usd(tries.paid)] if tries.paid else []
    said += [f"perhaps {usd(tries.perhaps_paid)}"] if tries.perhaps_paid else []
    return [*found, (_TRIES, ", ".join(said))] if said else found


def price_figures(summary: Summary) -> list[tuple[str, str, str]]:
    """The amounts of all videos, as term, value and unit: paid in this run, paid earlier, perhaps paid, not billed yet.

    They add up to the prices on the cards.
    """
    price = sum((found.price for found in summary.videos), Account())
    here = summary.account.paid
    earlier = price.paid - here
    found: list[tuple[str, Decimal]] = [("Paid in this run" if earlier else "Paid", here)]
    found += [
        (term, amount)
        for term, amount in (
            ("Paid earlier", earlier),
            (_PERHAPS, price.perhaps_paid),
            (_LATER, price.in_flight),
        )
        if amount
    ]
    return [(term, usd_cell(amount), "USD") for term, amount in found]
