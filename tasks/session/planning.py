"""What is decided, checked and estimated about requests before money is spent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import BaseModel

from prefect_together_video.tasks.running.prefect_run import flow_context
from prefect_together_video.tasks.running.runs import run_logger
from together_video.catalogue import Review
from together_video.catalogue.findings import Finding
from together_video.errors import InputError
from together_video.ledger.records import edition_name
from together_video.money import usd
from together_video.requests import VideoRequest

#: Most bytes of JSON of requests or plans in one run's parameters. A Prefect server takes 512 kB for all parameters.
MOST_BYTES = 300_000


def fits_a_run(several: Iterable[BaseModel]) -> bool:
    """Whether these requests, or this storyboard, fit into the parameters of one run."""
    return sum(len(one.model_dump_json()) for one in several) <= MOST_BYTES


def edition_now(edition: str) -> str:
    """The edition in force. For a scheduled run its *scheduled* time counts: a late or repeated run of Tuesday's
    schedule belongs to Tuesday.
    """
    moment = None
    if flow_context() is not None:
        from prefect.runtime import flow_run

        moment = flow_run.scheduled_start_time
    return edition_name(edition, moment or datetime.now(UTC))


def check_requests(
    requests: Sequence[VideoRequest],
    *,
    strict: bool = False,
    price_usd: Decimal | None = None,
    needs_price: bool = False,
    chosen: Sequence[Sequence[Finding]] | None = None,
    again: bool = False,
) -> list[Decimal | None]:
    """The most that each may cost, in USD; None if that is unknown. Warnings are logged, each kind once.

    Args:
        price_usd: the highest price of a video if the catalogue knows none.
        chosen: for each request, what its shorthand became.
        needs_price: there is a budget, which cannot be kept for a video without a price.
        again: they were checked before, and their warnings are logged.

    Raises:
        InputError: some requests cannot be made, or have no price and need one.
    """
    review = Review.of(requests, strict=strict, chosen=chosen)
    review.refuse_errors()
    for remark in () if again else review.remarks:
        run_logger().warning(remark)
    if price_usd is not None and not again and None not in (found.estimate.usd for found in review.requests):
        run_logger().warning("The price of %s is not used: the catalogue knows all prices.", usd(price_usd))
    prices = [price_usd if found.estimate.usd is None else found.estimate.usd for found in review.requests]
    if needs_price and None in prices:
        model = review.requests[prices.index(None)].request.model
        raise InputError(
            f"{model} has no known price, and there is a budget: give --price-usd, or your own catalogue its price. "
            "Nothing was sent."
        )
    return prices
