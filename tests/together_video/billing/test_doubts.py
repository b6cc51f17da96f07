"""A doubt is resolved by the bill only if the bill cannot be read in any other way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from together_video.api.usage import LineItem, UsageWindow
from together_video.billing.doubts import (
    HOUR,
    Answer,
    Bill,
    Charged,
    KnownPurchase,
    first_needed,
    was_charged,
)

MODEL, OTHER = "minimax/hailuo-02", "google/veo-2.0"
KEY = "key_a"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
PRICE = Decimal("0.49")


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def doubt(since: float = 0.3, **other: Any) -> KnownPurchase:
    fields = {"id": "d" * 24, "models": {MODEL}, "since": at(since), "until": at(since + 2.1), "key_id": KEY}
    return KnownPurchase.model_validate({**fields, **other})


def paid(since: float, until: float, **other: Any) -> KnownPurchase:
    fields = {"id": "a" * 24, "models": {MODEL}, "since": at(since), "until": at(until), "key_id": KEY}
    return KnownPurchase.model_validate({**fields, "cost_usd": PRICE, "seconds": 6.0, **other})


def line(cost: Decimal = PRICE, quantity: int = 1, key: str | None = KEY, *names: str) -> LineItem:
    return LineItem(
        names=("Serverless Inference - Video", *(names or (MODEL,))),
        quantity=Decimal(quantity),
        cost_usd=cost,
        key_id=key,
    )


def window(hour: int, *lines: LineItem) -> UsageWindow:
    return UsageWindow(start=at(hour), end=at(hour + 1), lines=lines)


def ask(
    *windows: UsageWindow, known: list[KnownPurchase] | None = None, now: float = 12, **other: Any
) -> Answer:
    asked = doubt(**other)
    bill = Bill(windows=windows, since=first_needed(asked), until=at(now))
    return was_charged(asked, known or [], bill, now=at(now))


def test_nothing_on_the_bill() -> None:
    """The archive knows of nothing, the bill neither."""
    answer = ask()
    assert answer.charged is Charged.NO
    assert "0.00 USD" in answer.words


def test_just_what_is_known() -> None:
    """One video was made in that time, and one is billed."""
    assert ask(window(1, line()), known=[paid(1.3, 1.5)]).charged is Charged.NO


def test_one_more_than_is_known() -> None:
    """It was charged; it stays held."""
    answer = ask(window(1, line(PRICE * 2, 2)), known=[paid(1.3, 1.5)])
    assert answer.charged is Charged.YES
    assert answer.words.startswith(
        "It was charged: the bill from 2026-11-26 12:00 to 15:00 UTC shows 0.98 USD"
    )


def test_less_than_is_known() -> None:
    """Then the bill is not complete, and says nothing."""
    assert ask(known=[paid(1.3, 1.5)]).charged is Charged.UNCLEAR


@pytest.mark.parametrize("now", [0.5, 2.9, 3, 4.99])
def test_too_early(now: float) -> None:
    """The hours in which it can have been charged must have been over for two hours."""
    answer = ask(now=now)
    assert (answer.charged, answer.asked_again_at) == (Charged.TOO_EARLY, at(5))


def test_an_hour_that_is_complete() -> None:
    """From two hours after its end the bill holds."""
    assert ask(now=5).charged is Charged.NO


def test_of_another_model() -> None:
    """Where each line names its model, other models need not agree; where one does not, all are compared."""
    others = [paid(1.3, 1.5, models={OTHER})]
    assert ask(window(1, line(PRICE, 3, KEY, OTHER)), known=others).charged is Charged.NO
    assert ask(window(1, line(PRICE * 3, 3, KEY, "some video")), known=others).charged is Charged.YES
    assert ask(window(1, line(PRICE, 1, KEY, "some video")), known=others).charged is Charged.NO


def test_another_doubt_of_that_time_was_closed_much_later() -> None:
    """What may have been charged widens nothing: one resolved doubt must not hold its neighbours for ever."""
    closed = paid(0.4, 100, cost_usd=None)
    assert ask(known=[closed], now=200).charged is Charged.NO
    assert ask(window(1, line()), known=[closed], now=200).charged is Charged.UNCLEAR


@pytest.mark.parametrize("quantity", [-1, 0, 1])
def test_a_credit_hides_no_charge(quantity: int) -> None:
    """A refund of an earlier video, or a credit, makes the bill lower, not the doubt."""
    credit = line(-PRICE, quantity)
    assert ask(window(1, line(), credit)).charged is Charged.UNCLEAR
    assert ask(window(1, line(PRICE * 2), credit), known=[paid(1.3, 1.5)]).charged is Charged.UNCLEAR


def test_under_the_name_of_another_model() -> None:
    """An old name may lead to a new model: a video that nobody knows may be the doubt, whatever it is called."""
    assert ask(window(1, line(PRICE, 1, KEY, OTHER))).charged is Charged.UNCLEAR
    others = [paid(1.3, 1.5, models={OTHER})]
    assert ask(window(1, line(PRICE * 2, 2, KEY, OTHER)), known=others).charged is Charged.UNCLEAR


def test_tokens_are_no_videos() -> None:
    """What says that it is something else is left out."""
    tokens = LineItem(
        names=("Serverless Inference - Input Tokens", "Qwen/Qwen3.5-9B"),
        quantity=Decimal(5000),
        cost_usd=Decimal("0.4"),
        key_id=KEY,
    )
    assert ask(window(1, tokens, line()), known=[paid(1.3, 1.5)]).charged is Charged.NO


def test_of_another_key() -> None:
    """Lines of other keys are other people's; a line without a key may be ours."""
    assert ask(window(1, line(key="key_b"), line()), known=[paid(1.3, 1.5)]).charged is Charged.NO
    assert ask(window(1, line(key=None), line()), known=[paid(1.3, 1.5)]).charged is Charged.YES


def test_where_no_line_names_our_key() -> None:
    """Lines are attributed in another way then, and all of them count."""
    assert ask(window(1, line(key="user_7"))).charged is Charged.YES


def test_videos_of_another_key_explain_nothing() -> None:
    """What was paid with another key does not stand on this one's bill."""
    answer = ask(window(1, line()), known=[paid(1.3, 1.5, key_id="key_b")])
    assert answer.charged is Charged.YES


def test_a_key_that_nobody_knows() -> None:
    """Claims of older versions do not say who pays."""
    assert ask(key_id=None).charged is Charged.UNCLEAR


@pytest.mark.parametrize("cost", [None, PRICE])
def test_a_video_across_the_edge_is_taken_in(cost: Decimal | None) -> None:
    """It may be billed on either side; with the hour before, the sum is that of all."""
    known = [paid(-0.2, 0.1, cost_usd=cost)]
    answer = ask(window(-1, line()), known=known)
    assert answer.charged is Charged.NO


def test_videos_all_the_time() -> None:
    """No hour has quiet edges, for more than a day."""
    known = [paid(n - 30.1, n - 28.9) for n in range(40)]
    assert ask(known=known, now=60).charged is Charged.UNCLEAR


def test_a_sum_that_agrees_by_chance() -> None:
    """Two cheaper videos instead of the one that is known: the number tells them apart."""
    assert ask(window(1, line(PRICE, 2)), known=[paid(1.3, 1.5)]).charged is Charged.UNCLEAR


def test_a_bill_in_seconds() -> None:
    """Some models are billed by the second."""
    assert ask(window(1, line(PRICE, 6)), known=[paid(1.3, 1.5)]).charged is Charged.NO


def test_a_bill_that_names_no_video_at_all() -> None:
    """It has lines, and none that could be of a video: perhaps nobody here can read them."""
    odd = LineItem(names=("GPU hours",), quantity=Decimal(1), cost_usd=Decimal(1), key_id=KEY)
    assert ask(window(1, odd)).charged is Charged.UNCLEAR


def test_windows_of_another_length() -> None:
    """A day where hours were asked for cannot be cut."""
    day = UsageWindow(start=at(-12), end=at(12), lines=(line(),))
    assert ask(day, known=[paid(1.3, 1.5)], now=40).charged is Charged.UNCLEAR


purchases = st.tuples(
    st.floats(-6, 6),  # since
    st.floats(0.01, 1.5),  # how long it takes
    st.floats(0, 1),  # when within that time it is billed
    st.sampled_from(
        ["archived", "failed and billed", "failed", "in flight", "in flight and billed", "doubt"]
    ),
    st.sampled_from([MODEL, MODEL, OTHER]),
)
strangers = st.tuples(
    st.floats(-6, 8), st.sampled_from([KEY, "key_b", None]), st.sampled_from([MODEL, OTHER, ""])
)


@settings(max_examples=600)
@given(
    ours=st.lists(purchases, max_size=6),
    others=st.lists(strangers, max_size=4),
    charged=st.floats(0, 2.1),
    now=st.floats(0, 40),
    delay=st.floats(0, 2),
    prices=st.lists(st.sampled_from([Decimal("0.14"), Decimal("0.28"), PRICE]), min_size=12, max_size=12),
)
@example(
    ours=[(0.4, 0.3, 0.5, "archived", MODEL)], others=[], charged=0.2, now=5.0, delay=2.0, prices=[PRICE] * 12
)
def test_what_was_billed_is_never_bought_again(
    ours: list[Any], others: list[Any], charged: float, now: float, delay: float, prices: list[Decimal]
) -> None:
    """Whatever else was bought, failed, or is late on the bill: if it was charged, the answer is never no."""
    lines: list[tuple[float, LineItem]] = [(0.3 + charged, line(prices[0]))]
    known: list[KnownPurchase] = []
    for number, (since, takes, share, state, model) in enumerate(ours, 1):
        price = prices[number]
        sure = state == "archived"
        until = since + takes
        if state == "doubt":
            known.append(paid(since, since + 2.1, models={model}, cost_usd=None))
        else:
            known.append(paid(since, until, models={model}, cost_usd=price if sure else None))
        if state not in {"failed", "in flight"}:
            lines.append((since + takes * share, line(price, 1, KEY, model)))
    for number, (moment, key, model) in enumerate(others, 7):
        lines.append((moment, line(prices[number], 1, key, *([model] if model else []))))
    shown = [(moment, one) for moment, one in lines if moment // 1 + 1 + delay <= now]
    hours = sorted({int(moment // 1) for moment, _ in shown})
    windows = [window(hour, *(one for moment, one in shown if moment // 1 == hour)) for hour in hours]
    assert ask(*windows, known=known, now=now).charged is not Charged.NO


@settings(max_examples=200)
@given(
    ours=st.lists(st.tuples(st.floats(-6, 6), st.floats(0.01, 0.4), st.floats(0, 1)), max_size=4),
    now=st.floats(12, 40),
)
def test_what_was_not_billed_can_be_bought_again(ours: list[Any], now: float) -> None:
    """Where all other videos are archived with their costs, and hours have passed, the answer is no."""
    known = [paid(since, since + takes) for since, takes, _ in ours]
    moments = [since + takes * share for since, takes, share in ours]
    hours = sorted({int(moment // 1) for moment in moments})
    windows = [window(hour, *(line() for moment in moments if moment // 1 == hour)) for hour in hours]
    answer = ask(*windows, known=known, now=now)
    assert answer.charged in {Charged.NO, Charged.TOO_EARLY}
    assert answer.charged is Charged.NO or (answer.asked_again_at or at(0)) > at(now)


def test_the_step_may_be_another() -> None:
    """Bills of seconds behave as those of hours: the windows come from the answer."""
    second = timedelta(seconds=1)
    asked = doubt().model_copy(update={"until": at(0.3) + 3 * second})
    bill = Bill(windows=(), since=at(-1), until=at(1), step=second, settles=second)
    assert was_charged(asked, [], bill, now=at(1)).charged is Charged.NO
    assert bill.step < HOUR


@pytest.mark.parametrize(
    "product",
    [
        "Veo 3 with Audio",
        "Sora 2 Pro - audio on",
        "Kling 2.1 I2V (image input)",
        "Wan 2.5 speech",
        "Hailuo 02 dedicated endpoint",
        "something new",
    ],
)
def test_a_product_that_may_be_of_videos(product: str) -> None:
    """Words such as audio and image stand in names of video products, too: such a line is never left out."""
    odd = LineItem(names=(product,), quantity=Decimal(1), cost_usd=PRICE, key_id=KEY)
    assert ask(window(1, odd)).charged is Charged.YES


@pytest.mark.parametrize(
    "product", ["Speech to text", "Images", "Output tokens", "GPU cluster", "Audio transcription minutes"]
)
def test_a_product_that_is_of_something_else(product: str) -> None:
    """Neither a video model nor the word video is in it."""
    other = LineItem(names=(product,), quantity=Decimal(1), cost_usd=PRICE, key_id=KEY)
    assert ask(window(-5, line()), window(1, other), known=[paid(-4.8, -4.5)]).charged is Charged.NO


def test_an_empty_bill_beside_paid_videos() -> None:
    """It should show one that was paid hours before: a bill that shows nothing at all proves nothing."""
    assert ask(known=[paid(-4.8, -4.5)]).charged is Charged.UNCLEAR
