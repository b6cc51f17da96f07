"""Was a create that had no clear answer charged? The bill does not name jobs, so sums are compared.

Take the windows of the bill in which the create could have been charged. If a paid video was made across an edge of
them, add as many windows as that takes. The bill of these windows should equal what the ledger knows to be paid. If it
does, the doubtful create was not charged. If it shows more, the create may have been charged, and it stays ambiguous:
another user of the key, a failed job that was billed, or a second doubt look the same. If it shows less, the bill is
not complete. Nothing is decided while the bill of these windows may still change.

So an error, whether from others' purchases or a late bill, leaves a video ambiguous. It never buys the video again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from together_video.api.usage import LineItem, UsageWindow
from together_video.billing.products import Products
from together_video.ledger.bought import Bought, Money
from together_video.ledger.records import Usd
from together_video.money import usd
from together_video.text import counted

#: Length of the API's windows.
HOUR = timedelta(hours=1)
#: Largest difference between a time in the ledger and on the bill: clocks differ, and usage is counted late.
_SKEW = timedelta(minutes=15)
#: Most windows that are added on each side.
_MOST_MORE = 24
#: A difference below this is rounding, in US dollars.
_NOTHING = Decimal("0.0001")


class Charged(StrEnum):
    """What the bill says about a doubtful create."""

    NO = "no"
    YES = "yes"
    UNCLEAR = "unclear"
    TOO_EARLY = "too early"


class KnownPurchase(BaseModel):
    """What the ledger knows about a video that may be on the bill.

    `cost_usd` is what it certainly cost; None if it is not known whether it was charged (it failed, is in flight, or is
    ambiguous itself). `until` is when it ended; None if it has not. `seconds` is the length of the video.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    models: frozenset[str]
    since: datetime
    until: datetime | None = None
    cost_usd: Usd | None = None
    seconds: float | None = None
    key_id: str | None = None

    @classmethod
    def of(cls, bought: Bought, *, within: timedelta) -> KnownPurchase:
        """Only an archived video with a cost was certainly charged, at a known time.

        Args:
            within: how long after its create a video may appear on the bill.
        """
        is_sure = bought.is_clip and bought.money is Money.PAID
        return cls(
            id=bought.id,
            models=frozenset({bought.model, bought.answered_model or bought.model}),
            since=bought.moment,
            until=bought.ended_at or bought.moment + within,
            cost_usd=bought.amount_usd if is_sure else None,
            seconds=bought.seconds,
            key_id=bought.key_id,
        )


class Answer(BaseModel):
    """`words` is a sentence for people; `asked_again_at` is when the bill can be complete."""

    model_config = ConfigDict(frozen=True)

    charged: Charged
    words: str
    asked_again_at: datetime | None = None


class Bill(BaseModel):
    """The windows that were read. They cover all of `since` to `until`.

    `step` is the length of a window, `settles` is how long a window may still change after its end.
    """

    model_config = ConfigDict(frozen=True)

    windows: tuple[UsageWindow, ...]
    since: datetime
    until: datetime
    settles: timedelta = timedelta(hours=2)
    step: timedelta = HOUR


def first_needed(doubt: KnownPurchase, step: timedelta = HOUR) -> datetime:
    """The earliest moment of the bill that a decision may need."""
    return _floor(doubt.since - _skew(step), step) - step * _MOST_MORE


def was_charged(
    doubt: KnownPurchase, known: Collection[KnownPurchase], bill: Bill, *, now: datetime
) -> Answer:
    """Decide whether `doubt` was charged.

    Args:
        doubt: its `until` is the latest time at which it can have been charged.
        known: all purchases of the ledger since `first_needed`, except the doubt.
    """
    step, skew = bill.step, _skew(bill.step)
    assert doubt.until is not None  # noqa: S101 - a doubt ends with the time limit of its create
    if doubt.key_id is None:
        return Answer(
            charged=Charged.UNCLEAR,
            words="The bill cannot be compared: the archive does not say which API key created the video.",
        )
    start, end = _floor(doubt.since - skew, step), _ceiling(doubt.until + skew, step)
    inside: list[KnownPurchase] = []
    most = start - step * _MOST_MORE, end + step * _MOST_MORE
    while True:
        inside = [one for one in known if _overlaps(one, start, end, now, skew)]
        # A purchase that may have been charged can only make the bill higher, in whichever window.
        sure = [one for one in inside if one.cost_usd is not None]
        first = min([start, *(_floor(one.since - skew, step) for one in sure)])
        last = max([end, *(_ceiling((one.until or now) + skew, step) for one in sure)])
        if (first, last) == (start, end):
            break
        start, end = first, last
        if start < most[0] or end > most[1]:
            return Answer(
                charged=Charged.UNCLEAR,
                words="The bill gives no answer: other videos were being made all the time.",
            )
    if now < end + bill.settles:
        return Answer(
            charged=Charged.TOO_EARLY,
            words=f"The bill of that time is complete at {end + bill.settles:%Y-%m-%d %H:%M} UTC.",
            asked_again_at=end + bill.settles,
        )
    if start < bill.since or end > bill.until:
        return Answer(charged=Charged.UNCLEAR, words="The bill of that time could not be read.")
    # A video that was certainly paid long ago shows whether the bill lists this key's videos at all.
    seen = [
        one
        for one in known
        if one.cost_usd and one.key_id == doubt.key_id and (one.until or now) + step + bill.settles < now
    ]
    return _compared(doubt, inside, bill, start, end, is_paid_elsewhere=bool(seen))


def _compared(
    doubt: KnownPurchase,
    inside: Sequence[KnownPurchase],
    bill: Bill,
    start: datetime,
    end: datetime,
    *,
    is_paid_elsewhere: bool,
) -> Answer:
    products = Products(doubt.models)
    windows = [one for one in bill.windows if one.start < end and one.end > start]
    if any(one.start < start or one.end > end for one in windows):
        return Answer(charged=Charged.UNCLEAR, words="The bill has windows of another length than expected.")
    lines = [line for window in windows for line in window.lines]
    # If no line names our key, lines are attributed in another way, and all of them count.
    named = any(line.key_id == doubt.key_id for window in bill.windows for line in window.lines)
    ours = [line for line in lines if not named or line.key_id in {None, doubt.key_id}]
    videos = [line for line in ours if products.may_be_video(line)]
    peers = [one for one in inside if not named or one.key_id in {None, doubt.key_id}]
    models = [products.model_of(line) for line in videos]
    if None not in models:
        # Each line names its model. Those of other models need not be compared, unless one can be the doubtful video
        # under another model to which the provider redirected it.
        strange = sum(
            (line.cost_usd for line, model in zip(videos, models, strict=True) if model not in doubt.models),
            Decimal(0),
        )
        known = (one for one in peers if one.key_id == doubt.key_id and not one.models & doubt.models)
        strange -= sum((one.cost_usd for one in known if one.cost_usd is not None), Decimal(0))
        if strange > _NOTHING:
            return Answer(
                charged=Charged.UNCLEAR,
                words="The bill shows videos of other models that the archive does not know: this may be one of them.",
            )
        videos = [line for line, model in zip(videos, models, strict=True) if model in doubt.models]
        peers = [one for one in peers if one.models & doubt.models]
    if any(line.cost_usd < 0 or line.quantity < 0 for line in lines):
        return Answer(
            charged=Charged.UNCLEAR, words="The bill has credits or refunds, which may hide the charge."
        )
    sure = [one for one in peers if one.cost_usd is not None and one.key_id == doubt.key_id]
    unsure = len(peers) - len(sure)
    billed = sum((line.cost_usd for line in videos), Decimal(0))
    paid = sum((one.cost_usd for one in sure if one.cost_usd is not None), Decimal(0))
    span = (
        f"{start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"
        if end - start <= timedelta(hours=24)
        else (f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC")
    )
    compared = f"the bill from {span} shows {usd(billed)} for videos, the archive knows of {usd(paid)} paid"
    if billed > paid + _NOTHING:
        if unsure:
            others = counted(unsure, "other video")
            words = f"The bill gives no clear answer: {compared}, and {others} may be the reason."
            return Answer(charged=Charged.UNCLEAR, words=words)
        return Answer(charged=Charged.YES, words=f"It was charged: {compared}.")
    if billed < paid - _NOTHING or not _agrees(videos, sure):
        return Answer(charged=Charged.UNCLEAR, words=f"The bill does not match the archive: {compared}.")
    if sure == [] and videos == [] and _is_blind(bill, products, is_paid_elsewhere=is_paid_elsewhere):
        return Answer(charged=Charged.UNCLEAR, words="The bill shows no videos of this key at any time.")
    return Answer(charged=Charged.NO, words=f"It was not charged: {compared}.")


def _agrees(lines: Iterable[LineItem], sure: Sequence[KnownPurchase]) -> bool:
    """Whether the billed quantity matches what was paid: the number of videos, or their seconds. The same sum for
    another number of videos would be chance.
    """
    quantity = sum((line.quantity for line in lines), Decimal(0))
    if quantity == len(sure):
        return True
    seconds = sum(one.seconds or 0.0 for one in sure)
    # Models round the requested length.
    return bool(sure) and abs(float(quantity) - seconds) <= 0.5 * len(sure)


def _is_blind(bill: Bill, products: Products, *, is_paid_elsewhere: bool) -> bool:
    """Whether none of the bill's lines can be for a video, although it has lines, or should have: perhaps its wording
    is unknown, or it is empty for another reason.
    """
    lines = [line for window in bill.windows for line in window.lines]
    return (bool(lines) or is_paid_elsewhere) and not any(products.may_be_video(line) for line in lines)


def _overlaps(one: KnownPurchase, start: datetime, end: datetime, now: datetime, skew: timedelta) -> bool:
    return one.since - skew < end and (one.until or now) + skew > start


def _skew(step: timedelta) -> timedelta:
    return min(_SKEW, step)


def _floor(moment: datetime, step: timedelta) -> datetime:
    seconds = step.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, moment.tzinfo)


def _ceiling(moment: datetime, step: timedelta) -> datetime:
    floor = _floor(moment, step)
    return floor if floor == moment else floor + step
