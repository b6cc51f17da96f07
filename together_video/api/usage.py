"""The answer of `GET /v1/billing/usage`, decoded within bounds.

Source: the reference of "Get billing usage" and the public Python SDK 3.1.1 (`organization.usage.costs`). It is a beta
that is enabled per organisation: amounts are decimal texts, windows are days or hours in UTC, and no line names a job.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from together_video.text import one_line

Granularity = Literal["day", "hour"]

#: Longest text of a line, in characters; most attributes of a line; most lines of all windows.
_LONGEST, _MOST_NAMES, MOST_LINES = 200, 40, 200_000


class LineItem(BaseModel):
    """One line: `quantity` in the product's own unit, `cost_usd` in US dollars.

    `names` are the texts that may say what was billed: the product and its pricing dimensions.
    """

    model_config = ConfigDict(frozen=True)

    names: tuple[str, ...]
    quantity: Decimal
    cost_usd: Decimal
    key_id: str | None = None

    @property
    def product(self) -> str:
        return self.names[0]


class UsageWindow(BaseModel):
    """What was used from `start` up to, and not including, `end`."""

    model_config = ConfigDict(frozen=True)

    start: datetime
    end: datetime
    lines: tuple[LineItem, ...] = ()


class UsagePage(BaseModel):
    """Some windows of a month, and the cursor to the next ones."""

    model_config = ConfigDict(frozen=True)

    windows: tuple[UsageWindow, ...] = ()
    next_cursor: str | None = Field(default=None, max_length=2_000)

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> UsagePage:
        """Decode an answer.

        Raises:
            ValueError: it is not such a report, or is in another currency. A line that is not understood could be for
                any video, so it is never left out.
        """
        if answer.get("currency", "USD") != "USD":
            raise ValueError("the bill is not in US dollars")
        data = answer.get("data")
        if not isinstance(data, list):
            raise ValueError("the bill has no list of windows")
        cursor = answer.get("next_cursor")
        if cursor is not None and (not isinstance(cursor, str) or len(cursor) > 2_000):
            raise ValueError("the bill does not say how it continues")
        windows = tuple(map(_window, data))
        if sum(len(window.lines) for window in windows) > MOST_LINES:
            raise ValueError(f"the bill has more than {MOST_LINES} lines")
        return cls(windows=windows, next_cursor=cursor or None)


def _window(found: object) -> UsageWindow:
    if not isinstance(found, Mapping) or not isinstance(lines := found.get("line_items"), list):
        raise ValueError("a window of the bill has no list of lines")
    start, end = _moment(found.get("start_time")), _moment(found.get("end_time"))
    if not start < end:
        raise ValueError("a window of the bill ends before it begins")
    return UsageWindow(start=start, end=end, lines=tuple(map(_line, lines)))


def _line(found: object) -> LineItem:
    if not isinstance(found, Mapping):
        raise ValueError("a line of the bill is not a JSON object")
    attributes, dimensions = _texts(found.get("attributes")), _texts(found.get("pricing_dimensions"))
    product = found.get("product_name")
    model = attributes.get("model") or attributes.get("model_name")
    return LineItem(
        names=(
            one_line(product if isinstance(product, str) else "", _LONGEST) or "a product without a name",
            *dimensions.values(),
            *([model] if model else []),
        ),
        quantity=_amount(found.get("quantity")),
        cost_usd=_amount(found.get("cost")),
        key_id=attributes.get("api_key_id"),
    )


def _texts(found: object) -> dict[str, str]:
    if not isinstance(found, Mapping):
        return {}
    pairs = list(found.items())[:_MOST_NAMES]
    return {
        str(name)[:_LONGEST]: one_line(value, _LONGEST)
        for name, value in pairs
        if isinstance(value, str) and value
    }


def _moment(found: object) -> datetime:
    if not isinstance(found, str):
        raise ValueError("a window of the bill has no time")
    moment = datetime.fromisoformat(found[:40])
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time of the bill is out of bounds") from None
    if not 2000 <= moment.year <= 2999:
        raise ValueError("a window of the bill is in another millennium")
    return moment


def _amount(found: object) -> Decimal:
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise ValueError("an amount of the bill is not a number")
    try:
        amount = Decimal(str(found)[:60].strip())
    except InvalidOperation:
        raise ValueError("an amount of the bill is not a number") from None
    if not amount.is_finite() or (amount and abs(amount.adjusted()) > 15):
        raise ValueError("an amount of the bill is out of bounds")
    return amount
