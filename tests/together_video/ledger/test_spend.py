"""Spending: what each purchase counts as, how purchases are added up, and how the sums are written."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tests.facts import claim_of
from together_video.errors import InputError
from together_video.ledger.bought import Bought, Money
from together_video.ledger.records import LedgerState, Submission, VideoPlan, VideoRecord
from together_video.ledger.spend import (
    MOST_GROUPS,
    MOST_NAMED,
    OTHERS,
    Grouping,
    Period,
    Spending,
    SpendReport,
)
from together_video.requests import VideoRequest

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def plan(**fields: Any) -> VideoPlan:
    request = VideoRequest.model_validate({"model": "m", "prompt": "a fox", **fields})
    return VideoPlan(request=request, estimate_usd=Decimal("0.30"))


def record(state: str = "archived", cost: str | None = "0.28", **fields: Any) -> VideoRecord:
    made = plan()
    amount = None if cost is None else Decimal(cost)
    given = {"id": made.id, "state": state, "plan": made, "recorded_at": NOON, "cost_usd": amount, **fields}
    return VideoRecord.model_validate(given)


def bought(amount: str | None = "1", *, money: Money = Money.PAID, **fields: Any) -> Bought:
    given = {"moment": NOON, "model": "m", "is_clip": money is Money.PAID, **fields}
    return Bought(id="v", money=money, amount_usd=None if amount is None else Decimal(amount), **given)


def report(*all_of_them: Bought, by: str = "month", period: Period | None = None, **more: Any) -> SpendReport:
    spending = Spending(Grouping.parse(by), period or Period(), month="2026-11")
    for one in all_of_them:
        spending.add(one)
    return spending.report("s3://b/", **more)


@pytest.mark.parametrize(
    ("state", "cost", "money", "amount", "is_clip", "is_failed"),
    [
        ("archived", "0.28", Money.PAID, "0.28", True, False),
        ("archived", None, Money.PERHAPS_PAID, "0.30", True, False),
        ("failed", "0", Money.PAID, "0", False, True),
        ("failed", None, Money.PERHAPS_PAID, "0.30", False, True),
        ("abandoned", None, Money.PERHAPS_PAID, "0.30", False, False),
        # A credit would make the month look cheaper than the limit counts it.
        ("archived", "-5", Money.PAID, "0", True, False),
    ],
)
def test_what_a_record_counts_as(
    state: str, cost: str | None, money: Money, amount: str, is_clip: bool, is_failed: bool
) -> None:
    """Paid where the provider said what it cost, else perhaps paid at the estimate."""
    found = Bought.of_record(record(state, cost))
    assert (found.money, found.amount_usd) == (money, Decimal(amount))
    assert (found.is_clip, found.is_failed) == (is_clip, is_failed)


@pytest.mark.parametrize(
    ("state", "money"),
    [
        (LedgerState.CLAIMED, Money.IN_FLIGHT),
        (LedgerState.SUBMITTED, Money.IN_FLIGHT),
        (LedgerState.AMBIGUOUS, Money.PERHAPS_PAID),
    ],
)
def test_what_a_claim_counts_as(state: LedgerState, money: Money) -> None:
    """A doubt is not in flight: it may be a job that nobody waits for."""
    made = plan(labels={"campaign": "spring"})
    claim = claim_of(
        made,
        claimed_at=NOON,
    )
    job = Submission(id=made.id, token=claim.token, job_id="j", submitted_at=NOON)
    found = Bought.of_claim(claim, state, job)
    assert (found.money, found.amount_usd, found.job_id) == (money, Decimal("0.30"), "j")
    assert found.labels == {"campaign": "spring"}


def test_the_month_is_that_of_the_claim_in_utc() -> None:
    """As the monthly limit counts it; a record without a claim counts when it was written."""
    west = timezone(timedelta(hours=-5))
    late = datetime(2026, 10, 31, 22, tzinfo=west)
    found = Bought.of_record(record(claimed_at=late))
    assert (found.day, found.month) == ("2026-11-01", "2026-11")
    assert Bought.of_record(record()).day == "2026-11-27"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("day", "2026-11-27"),
        ("month", "2026-11"),
        ("model", "acme/dream"),
        ("campaign", "spring"),
        ("label:campaign", "spring"),
        ("label: Shot Nr.", "(none)"),
        ("label:day", "(none)"),
    ],
)
def test_groupings(text: str, key: str) -> None:
    """A label that is called `day` is a label: its values are not taken for days."""
    one = bought(model="acme/dream", labels={"campaign": "spring"})
    found = report(one, by=text)
    assert [row.key for row in found.rows] == [key]
    assert found.is_time == (text in {"day", "month"})


@pytest.mark.parametrize("text", ["", "label", "label:", "label:…", "week", "day:x", "x" * 500])
def test_other_groupings_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"grouped by|label's name"):
        Grouping.parse(text)


def test_amounts_are_kept_apart_and_clips_are_what_is_paid_for() -> None:
    """The failed ones are in the price of a clip; doubts are not."""
    found = report(
        bought("0.28"),
        bought("0.14", is_clip=False, is_failed=True),
        bought("0.30", money=Money.PERHAPS_PAID),
        bought("0.20", money=Money.IN_FLIGHT),
        bought(None, money=Money.IN_FLIGHT),
        limit_usd=Decimal(5),
        counted_usd=Decimal("1.5"),
    )
    assert found.as_json() == {
        "location": "s3://b/",
        "by": "month",
        "since": None,
        "until": None,
        "rows": [row := {
            "key": "2026-11",
            "videos": 5,
            "clips": 1,
            "failed": 1,
            "paid_usd": 0.42,
            "perhaps_paid_usd": 0.3,
            "in_flight_usd": 0.2,
            "usd_per_clip": 0.42,
            "unpriced": 1,
            "accepted": 0,
            "rejected": 0,
            "usd_per_accepted": None,
        }],
        "total": (total := {name: value for name, value in row.items() if name != "key"}),
        "month": {"month": "2026-11", **total, "limit_usd": 5.0, "left_usd": 3.5},
        "unreadable": [],
        "more_unreadable": 0,
    }  # fmt: skip
    json.dumps(found.as_json())
    assert found.sentence == (
        "5 videos, 1 clip: 0.42 USD paid, 0.30 USD perhaps paid, 0.20 USD in flight, 0.42 USD a clip. "
        "2026-11: 0.42 USD paid, 0.30 USD perhaps paid, 0.20 USD in flight, 3.50 USD left of 5.00 USD"
    )


def test_an_accepted_clip_bears_the_price_of_all_the_others() -> None:
    """A star accepts; a mark of anything but a clip does not count, and a note alone is neither."""
    found = report(
        bought("0.28", verdict="star"),
        bought("0.28", verdict="reject"),
        bought("0.28"),
        bought("0.14", is_clip=False, verdict="star"),
    )
    assert (found.total.accepted, found.total.rejected) == (1, 1)
    assert found.total.usd_per_accepted == Decimal("0.98")
    assert "1 accepted at 0.98 USD each, 1 rejected" in found.sentence
    assert "accepted" in found.as_csv().splitlines()[0]


@pytest.mark.parametrize(
    ("counted", "left"),
    [("0", "1"), ("3", "1"), ("4.5", "0.5"), ("7", "0")],
    ids=["none", "less", "more", "over"],
)
def test_what_is_left_is_never_more_than_a_run_would_get(counted: str, left: str) -> None:
    """The higher of what records say and what is reserved counts, and nothing is left below zero."""
    found = report(bought("4"), limit_usd=Decimal(5), counted_usd=Decimal(counted))
    assert found.month.left_usd == Decimal(left)


def test_without_a_limit_nothing_is_said_to_be_left() -> None:
    assert "left" not in report(bought()).sentence
    assert report(bought()).as_json()["month"]["left_usd"] is None


def test_a_period_leaves_out_what_is_before_and_behind_it() -> None:
    """The month to date is counted whatever the period is."""
    days = [bought(moment=datetime(2026, 11, day, 23, 59, tzinfo=UTC)) for day in (1, 2, 3)]
    found = report(*days, by="day", period=Period.parse("2026-11-02", "2026-11-02"))
    assert [row.key for row in found.rows] == ["2026-11-02"]
    assert (found.total.videos, found.month.row.videos) == (1, 3)
    assert Period.of_month("2028-02").until is not None
    assert str(Period.of_month("2028-02").until) == "2028-02-29"
    assert str(Period.of_month("2026-12").until) == "2026-12-31"


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-1", "0000-01", "9999-12", "٢٠٢٦-01", "2026-11\n", ""]
)
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(InputError, match="is not a month"):
        Period.of_month(month)


@pytest.mark.parametrize(
    ("since", "until"),
    [("2026-11", None), (None, "yesterday"), ("2026-11-31", None), ("2026-11-02", "2026-11-01")],
)
def test_what_is_no_period_is_refused(since: str | None, until: str | None) -> None:
    with pytest.raises(InputError, match=r"no day|not a day"):
        Period.parse(since, until)


def test_models_are_dearest_first_and_days_in_their_order() -> None:
    """What counts for the order is all that may have been paid."""
    cheap, dear = bought("1", model="a"), bought("2", model="z", money=Money.IN_FLIGHT)
    assert [row.key for row in report(cheap, dear, by="model").rows] == ["z", "a"]
    early = bought("9", moment=NOON - timedelta(days=1))
    assert [row.key for row in report(bought(), early, by="day").rows] == ["2026-11-26", "2026-11-27"]


def test_a_label_with_any_number_of_values_fills_no_memory() -> None:
    """Beyond some thousands they are one row, and nothing is lost from the total."""
    many = (bought("0.01", labels={"id": f"{n}"}) for n in range(MOST_GROUPS + 10))
    found = report(*many, by="label:id")
    assert len(found.rows) == MOST_GROUPS + 1
    assert next(row for row in found.rows if row.key == OTHERS).videos == 10
    assert found.total.paid_usd == Decimal("0.01") * (MOST_GROUPS + 10)


def test_many_unreadable_records_are_counted_and_some_named() -> None:
    found = report(bought(), unreadable=[f"records/{n:03}.json" for n in range(MOST_NAMED + 5)])
    assert (len(found.unreadable), found.more_unreadable) == (MOST_NAMED, 5)
    assert found.sentence.endswith("105 records could not be read: run audit")


def test_csv_is_read_back_and_no_cell_is_a_formula() -> None:
    """The author of a label may have meant a spreadsheet to run it; quotes and commas stay in their cell."""
    keys = ['=HYPERLINK("x")', "+1", "-1", "@sum", 'a, "b"', "plain", "a\nb"]
    rows = report(*(bought(labels={"campaign": key}) for key in keys), by="campaign")
    lines = list(csv.reader(io.StringIO(rows.as_csv())))
    assert lines[0][:4] == ["campaign", "videos", "clips", "failed"]
    assert len(lines) == 1 + len(keys)
    found = {line[0] for line in lines[1:]}
    assert {"'+1", "'-1", "'@sum", 'a, "b"', "plain", '\'=HYPERLINK("x")'} < found
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in found)
