"""Was a create that had no clear answer charged? The bill does not name jobs, so sums are compared.

Take the windows of the bill in which the create could have been charged, and, if a video that was surely paid was made
across an edge of them, as many more as that takes. The bill of these windows should show what the ledger knows to be
paid there. If it shows just that, the doubtful create was not charged. If it shows more, it may have been, and it is
held: another user of the key, a failed job that was billed, or a second doubt look the same. If it shows less, the bill
is not complete. Nothing is decided before the windows have been over for as long as the bill may still change.

So whatever others buy, and however late the bill is, an error makes a video be held, and never be bought again.
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
#: So much may lie between a time in the ledger and the same on the bill: clocks differ, and usage is counted late.
_SKEW = timedelta(minutes=15)
#: So many windows are taken in addition on each side, at most.
_MOST_MORE = 24
#: A difference below this is rounding, in US dollars.
_NOTHING = Decimal("0.0001")


class Charged(StrEnum):
    """What the bill says of a doubtful create."""

    NO = "no"
    YES = "yes"
    UNCLEAR = "unclear"
    TOO_EARLY = "too early"


class KnownPurchase(BaseModel):
    """What the ledger knows of a video that may be on the bill.

    `cost_usd` is what it surely cost; None where it may or may not have been charged (it failed, is in flight, or in
    doubt itself). `until` is when it was over; None while it is not. `seconds` is how long the video plays.
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
        """Only of an archived video with a cost is it sure that it was charged, and by when.

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
    """The windows that were read, which hold all of `since` to `until`.

    `step` is the length of a window, `settles` how long after its end a window may still change.
    """

    model_config = ConfigDict(frozen=True)

    windows: tuple[UsageWindow, ...]
    since: datetime
    until: datetime
    settles: timedelta = timedelta(hours=2)
    step: timedelta = HOUR


def first_needed(doubt: KnownPurchase, step: timedelta = HOUR) -> datetime:
    """The earliest moment of the bill that a decision can need."""
    return _floor(doubt.since - _skew(step), step) - step * _MOST_MORE


def was_charged(
    doubt: KnownPurchase, known: Collection[KnownPurchase], bill: Bill, *, now: datetime
) -> Answer:
    """Decide whether `doubt` was charged.

    Args:
        doubt: with `until` as the latest time at which it can have been charged.
        known: all purchases of the ledger since `first_needed`, the doubt left out.
    """
    step, skew = bill.step, _skew(bill.step)
    assert doubt.until is not None  # noqa: S101 - a doubt ends when a create can take no longer
    if doubt.key_id is None:
        return Answer(
            charged=Charged.UNCLEAR,
            words="The bill cannot be compared: the archive does not say which API key it was created with.",
        )
    start, end = _floor(doubt.since - skew, step), _ceiling(doubt.until + skew, step)
    inside: list[KnownPurchase] = []
    most = start - step * _MOST_MORE, end + step * _MOST_MORE
    while True:
        inside = [one for one in known if _overlaps(one, start, end, now, skew)]
        # What may or may not have been charged can only make the bill higher, wherever it stands on it.
        sure = [one for one in inside if one.cost_usd is not None]
        first = min([start, *(_floor(one.since - skew, step) for one in sure)])
        last = max([end, *(_ceiling((one.until or now) + skew, step) for one in sure)])
        if (first, last) == (start, end):
            break
        start, end = first, last
        if start < most[0] or end > most[1]:
            return Answer(
                charged=Charged.UNCLEAR,
                words="The bill cannot tell: other videos were being made all the time.",
            )
    if now < end + bill.settles:
        return Answer(
            charged=Charged.TOO_EARLY,
            words=f"The bill of that time is complete at {end + bill.settles:%Y-%m-%d %H:%M} UTC.",
            asked_again_at=end + bill.settles,
        )
    if start < bill.since or end > bill.until:
        return Answer(charged=Charged.UNCLEAR, words="The bill of that time could not be read.")
    # Whether the bill shows anything of this key's videos at all can be seen where one was surely paid long ago.
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
    # Where no line of all names our key, lines are attributed in another way: then all of them count.
    named = any(line.key_id == doubt.key_id for window in bill.windows for line in window.lines)
    ours = [line for line in lines if not named or line.key_id in {None, doubt.key_id}]
    videos = [line for line in ours if products.may_be_video(line)]
    peers = [one for one in inside if not named or one.key_id in {None, doubt.key_id}]
    models = [products.model_of(line) for line in videos]
    if None not in models:
        # Each line says of which model it is: those of other models need not be compared, as long as none of them can
        # be of the doubt under another name, to which the provider may have led it.
        strange = sum(
            (line.cost_usd for line, model in zip(videos, models, strict=True) if model not in doubt.models),
            Decimal(0),
        )
        known = (one for one in peers if one.key_id == doubt.key_id and not one.models & doubt.models)
        strange -= sum((one.cost_usd for one in known if one.cost_usd is not None), Decimal(0))
        if strange > _NOTHING:
            return Answer(
                charged=Charged.UNCLEAR,
                words="The bill shows videos of other models that the archive does not know: it may be one of them.",
            )
        videos = [line for line, model in zip(videos, models, strict=True) if model in doubt.models]
        peers = [one for one in peers if one.models & doubt.models]
    if any(line.cost_usd < 0 or line.quantity < 0 for line in lines):
        return Answer(
            charged=Charged.UNCLEAR, words="The bill has credits or refunds, which may hide what was charged."
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
            words = f"The bill leaves it open: {compared}, and {counted(unsure, 'other video')} may be the reason."
            return Answer(charged=Charged.UNCLEAR, words=words)
        return Answer(charged=Charged.YES, words=f"It was charged: {compared}.")
    if billed < paid - _NOTHING or not _agrees(videos, sure):
        return Answer(charged=Charged.UNCLEAR, words=f"The bill does not fit the archive: {compared}.")
    if sure == [] and videos == [] and _is_blind(bill, products, is_paid_elsewhere=is_paid_elsewhere):
        return Answer(charged=Charged.UNCLEAR, words="The bill shows no video of this key at any time.")
    return Answer(charged=Charged.NO, words=f"It was not charged: {compared}.")


def _agrees(lines: Iterable[LineItem], sure: Sequence[KnownPurchase]) -> bool:
    """Whether the quantities are those of what is paid: so many videos, or so many seconds of video. The same sum of
    another number of videos would be chance.
    """
    quantity = sum((line.quantity for line in lines), Decimal(0))
    if quantity == len(sure):
        return True
    seconds = sum(one.seconds or 0.0 for one in sure)
    # Models round the length that was asked for.
    return bool(sure) and abs(float(quantity) - seconds) <= 0.5 * len(sure)


def _is_blind(bill: Bill, products: Products, *, is_paid_elsewhere: bool) -> bool:
    """Whether none of the bill's lines can be of a video, although it has lines, or should have: perhaps it words them
    in a way that nobody here knows, or is empty for another reason.
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
