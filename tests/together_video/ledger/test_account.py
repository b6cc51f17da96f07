"""The four parts of money: their sums, what they leave, and their words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.ledger.account import Account
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.requests import VideoRequest

AMOUNT = st.decimals(0, 10_000, places=4)


@given(paid=AMOUNT, perhaps=AMOUNT, in_flight=AMOUNT, limit=AMOUNT, amount=AMOUNT)
def test_the_parts_make_the_limit(
    paid: Decimal, perhaps: Decimal, in_flight: Decimal, limit: Decimal, amount: Decimal
) -> None:
    """They add up to it, unless more was paid than there was; and what still fits does not pass it."""
    account = Account(paid=paid, perhaps_paid=perhaps, in_flight=in_flight).within(limit)
    assert account.left is not None
    assert account.left >= 0
    assert account.committed + account.left == max(limit, account.committed)
    if account.takes(amount) and account.committed <= limit:
        assert account.committed + amount <= limit


def test_without_a_limit_everything_fits() -> None:
    """And nothing is said of what is left."""
    account = Account(paid=Decimal(7))
    assert account.takes(Decimal(10**9))
    assert account.words == "7.00 USD paid, 0.00 USD perhaps paid, 0.00 USD in flight"
    assert "left_usd" not in account.as_json()


def test_it_is_said_in_the_same_words_everywhere() -> None:
    """All parts where a limit is reached; at the end of a run those that are not zero."""
    account = Account(paid=Decimal("0.5"), in_flight=Decimal("0.32345")).within(Decimal(1))
    assert account.words == "0.50 USD paid, 0.00 USD perhaps paid, 0.3235 USD in flight, 0.1766 USD left"
    assert account.sentence("in this run") == "0.50 USD paid in this run, 0.3235 USD in flight"
    assert Account().sentence("in this run") == "0.00 USD paid in this run"
    assert account.as_json() == {
        "cost_usd": 0.5,
        "perhaps_paid_usd": 0.0,
        "in_flight_usd": 0.3235,
        "left_usd": 0.1766,
    }


PLAN = VideoPlan(request=VideoRequest(prompt="a fox"), estimate_usd=Decimal("0.30"))


@pytest.mark.parametrize(
    ("state", "more", "parts"),
    [
        (VideoState.ARCHIVED, {"job_id": "j", "cost_usd": Decimal("0.28")}, ("0.28", "0", "0")),
        (VideoState.ARCHIVED, {"job_id": "j"}, ("0", "0.30", "0")),
        (VideoState.REUSED, {"job_id": "j", "cost_usd": Decimal("0.28")}, ("0", "0", "0")),
        (VideoState.FAILED, {"job_id": "j"}, ("0", "0.30", "0")),
        (VideoState.FAILED, {"job_id": "j", "cost_usd": Decimal(0)}, ("0", "0", "0")),
        (VideoState.FAILED, {"job_id": "j", "paid_earlier": True}, ("0", "0", "0")),
        (VideoState.REFUSED, {}, ("0", "0", "0")),
        (VideoState.SKIPPED, {}, ("0", "0", "0")),
        (VideoState.AMBIGUOUS, {}, ("0", "0.30", "0")),
        (VideoState.SUBMITTED, {"job_id": "j"}, ("0", "0", "0.30")),
        (
            VideoState.ARCHIVED,
            {
                "job_id": "j",
                "cost_usd": Decimal("0.28"),
                "failed": 2,
                "failed_usd": Decimal("0.1"),
                "failed_perhaps_usd": Decimal("0.30"),
            },
            ("0.38", "0.30", "0"),
        ),
    ],
)
def test_a_video_counts_by_how_it_ended(
    state: VideoState, more: dict[str, object], parts: tuple[str, str, str]
) -> None:
    """Only what is known to be paid is paid; what may be charged counts at the highest estimate."""
    outcome = VideoOutcome.of_plan(PLAN, state).model_copy(update=more)
    paid, perhaps, in_flight = map(Decimal, parts)
    assert outcome.account == Account(paid=paid, perhaps_paid=perhaps, in_flight=in_flight)
    summary = Summary.of([outcome, outcome])
    assert summary.cost_usd == 2 * paid
    assert ("perhaps paid" in summary.sentence) is (perhaps > 0)
    assert ("in flight" in summary.sentence) is (in_flight > 0)
