"""What a page says of money: the cards add up to the heading, and nothing that was or may be paid is left out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from together_video.gallery.prices import price_figures, prices
from together_video.ledger.summary import Summary, VideoOutcome, VideoState


def outcome(state: VideoState, **fields: Any) -> VideoOutcome:
    return VideoOutcome(id="ab" * 12, model="acme/dream-1", state=state, **fields)


ARCHIVED = outcome(VideoState.ARCHIVED, job_id="j", cost_usd=Decimal("0.14"))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (ARCHIVED, [("Cost", "0.14 USD")]),
        (
            outcome(VideoState.REUSED, job_id="j", cost_usd=Decimal("0.05")),
            [("Cost", "0.05 USD (paid earlier)")],
        ),
        (
            outcome(VideoState.FAILED, job_id="j", cost_usd=Decimal("0.2"), paid_earlier=True),
            [("Cost", "0.20 USD (paid earlier)")],
        ),
        (outcome(VideoState.FAILED, job_id="j", cost_usd=Decimal("0.2")), [("Cost", "0.20 USD")]),
        (
            outcome(VideoState.FAILED, job_id="j", estimate_usd=Decimal("0.3")),
            [("Perhaps paid", "0.30 USD")],
        ),
        (
            outcome(VideoState.ARCHIVED, job_id="j", estimate_usd=Decimal("0.3")),
            [("Perhaps paid", "0.30 USD")],
        ),
        # Nothing was created.
        (outcome(VideoState.FAILED, estimate_usd=Decimal("0.3")), []),
        (outcome(VideoState.REFUSED, estimate_usd=Decimal("0.3")), []),
        (outcome(VideoState.AMBIGUOUS, estimate_usd=Decimal("0.3")), [("Perhaps paid", "0.30 USD")]),
        (outcome(VideoState.AMBIGUOUS), [("Perhaps paid", "amount unknown")]),
        (
            outcome(VideoState.SUBMITTED, job_id="j", estimate_usd=Decimal("0.3")),
            [("Not billed yet", "up to 0.30 USD")],
        ),
        (outcome(VideoState.SKIPPED, estimate_usd=Decimal("0.3")), [("Estimate", "0.30 USD")]),
        (
            ARCHIVED.model_copy(
                update={
                    "failed": 2,
                    "failed_usd": Decimal("0.1"),
                    "failed_perhaps_usd": Decimal("0.07"),
                }
            ),
            [("Cost", "0.14 USD"), ("Failed attempts", "0.10 USD, perhaps 0.07 USD")],
        ),
    ],
)
def test_a_card_says_what_its_video_cost(found: VideoOutcome, said: list[tuple[str, str]]) -> None:
    """Failed ones are charged for too; what nobody knows is called so; what was not created costs nothing."""
    assert prices(found) == said


def test_the_heading_adds_up_the_cards() -> None:
    """Paid in this run, earlier, perhaps, and not yet: each amount is in one of them."""
    summary = Summary.of(
        [
            ARCHIVED,
            outcome(VideoState.FAILED, job_id="j", cost_usd=Decimal("0.2")),
            ARCHIVED.model_copy(update={"failed_usd": Decimal("0.1"), "failed_perhaps_usd": Decimal("0.07")}),
            outcome(VideoState.REUSED, job_id="j", cost_usd=Decimal("0.0525")),
            outcome(VideoState.FAILED, job_id="j", cost_usd=Decimal("0.4"), paid_earlier=True),
            outcome(VideoState.AMBIGUOUS, estimate_usd=Decimal("0.3"), paid_earlier=True),
            outcome(VideoState.SUBMITTED, job_id="j", estimate_usd=Decimal("0.25")),
            outcome(VideoState.SKIPPED, estimate_usd=Decimal("9")),
            outcome(VideoState.REFUSED, estimate_usd=Decimal("9")),
        ]
    )
    assert price_figures(summary) == [
        ("Paid in this run", "0.58", "USD"),
        ("Paid earlier", "0.4525", "USD"),
        ("Perhaps paid", "0.37", "USD"),
        ("Not billed yet", "0.25", "USD"),
    ]


def test_nothing_was_paid_by_others() -> None:
    """Without an earlier run there is no need to say which one paid."""
    assert price_figures(Summary.of([ARCHIVED])) == [("Paid", "0.14", "USD")]
