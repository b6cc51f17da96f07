"""The page of what was spent: its bars, its numbers, and that nothing of others becomes markup."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from together_video.gallery import render_spend
from together_video.gallery.spend_chart import MOST_BARS, MOST_COLUMNS, SCALE, chart_of
from together_video.gallery.spend_markdown import MOST_ROWS, spend_markdown, spend_rows
from together_video.ledger.bought import Bought, Money
from together_video.ledger.spend import Grouping, Period, Spending, SpendReport

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
EVIL = '"><script>alert(1)</script>[x](https://evil.example)\x00\u202e'


def bought(amount: str = "1", *, money: Money = Money.PAID, **fields: Any) -> Bought:
    return Bought(
        id="v",
        money=money,
        amount_usd=Decimal(amount),
        **{"moment": NOON, "model": "m", "is_clip": True, **fields},
    )


def report(*given: Bought, by: str = "day", **more: Any) -> SpendReport:
    spending = Spending(Grouping.parse(by), Period(), month="2026-11")
    for one in given:
        spending.add(one)
    return spending.report("s3://b/", **more)


class Seen(HTMLParser):
    """Names of the elements, and the addresses of all links and sources."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_pieces_of_a_bar_lie_beside_each_other_and_add_up() -> None:
    """The most expensive day fills the scale. Each piece starts where the one before ends."""
    chart = chart_of(
        report(bought("2"), bought("1", money=Money.PERHAPS_PAID), bought("1", money=Money.IN_FLIGHT))
    )
    (bar,) = chart.bars
    assert [(piece.kind, piece.start, piece.length, piece.y) for piece in bar.pieces] == [
        ("paid", "0.00", "50.00", "50.00"),
        ("perhaps", "50.00", "25.00", "25.00"),
        ("flight", "75.00", "25.00", "0.00"),
    ]
    assert (chart.top, chart.left_out, SCALE) == ("4.00 USD", "", 100)
    assert (
        bar.title == "2026-11-27: 2.00 USD paid, 1.00 USD perhaps paid, 1.00 USD in flight; 3 videos, 3 clips"
    )


@pytest.mark.parametrize(
    ("by", "back", "keys"),
    [
        ("day", 3, ["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"]),
        ("month", 63, ["2026-09", "2026-10", "2026-11"]),
    ],
)
def test_days_without_a_purchase_have_their_place(by: str, back: int, keys: list[str]) -> None:
    chart = chart_of(report(bought(), bought(moment=NOON - timedelta(days=back)), by=by))
    assert [bar.key for bar in chart.bars] == keys
    assert [bool(bar.pieces) for bar in chart.bars] == [True, *[False] * (len(keys) - 2), True]


def test_a_chart_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record of the year 2000 draws no ten thousand columns, and a label with many values no page without an end."""
    old = chart_of(report(bought(), bought(moment=datetime(2000, 1, 1, tzinfo=UTC))))
    assert len(old.bars) == MOST_COLUMNS
    assert old.bars[-1].key == "2026-11-27"
    assert old.left_out
    many = chart_of(report(*(bought(labels={"n": str(n)}) for n in range(MOST_BARS + 5)), by="label:n"))
    assert (len(many.bars), many.left_out) == (MOST_BARS, "5 more in the table.")


def test_nothing_and_amounts_of_zero_are_drawn() -> None:
    """No division by zero: an archive without a purchase has a page, and so has one whose videos cost nothing."""
    assert "Nothing was bought" in render_spend(report(), made_at=NOON)
    assert chart_of(report(bought("0"))).bars[0].pieces == ()
    render_spend(report(bought("0"), limit_usd=Decimal("0.01")), made_at=NOON)


@pytest.mark.parametrize("by", ["day", "model", "campaign"])
def test_the_page_is_whole_and_loads_nothing(by: str) -> None:
    """No script, no link, no picture from anywhere; each drawing is well-formed; the style is what the policy names."""
    page = render_spend(
        report(bought(), bought("2", model="n"), by=by, limit_usd=Decimal(10), counted_usd=Decimal(4)),
        made_at=NOON,
    )
    seen = Seen(page)
    assert not {"script", "img", "iframe", "a", "form", "object"} & set(seen.tags)
    assert not [
        name for name, _ in seen.attributes if name.startswith("on") or name in {"src", "style", "action"}
    ]
    assert [
        value for name, value in seen.attributes if name == "href" and not (value or "").startswith("data:")
    ] == []
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;")
    assert "script-src" not in policy[1]
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert drawings
    for drawing in drawings:
        ElementTree.fromstring(drawing)  # noqa: S314 - our own page
    assert (
        "4.00 USD of the monthly limit of 10.00 USD paid, perhaps paid or in flight. 6.00 USD left." in page
    )
    assert "3.00 USD paid" in page


def test_names_of_others_are_text() -> None:
    """On the page, in the table and in Markdown: models, labels' values, and keys that could not be read."""
    found = report(bought(model=EVIL, labels={"campaign": EVIL}), by="model", unreadable=[f"records/{EVIL}"])
    page = render_spend(found, made_at=NOON)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 2
    assert "\x00" not in page
    text = spend_markdown(found, page="s3://b/spend/x.html", link="javascript:alert(1)", expires_at=NOON)
    assert "<script>" not in text
    assert "](https:" not in text
    assert "javascript:" not in text
    assert "https://" not in str(spend_rows(found))


def test_markdown_has_the_month_the_rows_and_the_page() -> None:
    """The link ends with its signature, the page does not."""
    found = report(bought("0.28"), bought("0.5", moment=NOON - timedelta(days=1)), limit_usd=Decimal(5))
    text = spend_markdown(
        found, page="s3://b/spend/2026-11-27.html", link="https://s3.example/x?a=(1)", expires_at=NOON
    )
    lines = text.splitlines()
    assert lines[2] == "**2026-11: 0.78 USD paid, 4.22 USD left of 5.00 USD.**"
    assert lines[4].startswith("| day | videos | clips |")
    assert lines[6] == "| 2026-11-26 | 1 | 1 | 0 | 0.50 USD | 0.00 USD | 0.00 USD | 0.50 USD |"
    assert lines[8].startswith("| all | 2 | 2 |")
    assert "[Page with a chart](https://s3.example/x?a=%281%29), until 2026-11-27 12:00 UTC." in text
    assert "Page in the archive: `s3://b/spend/2026-11-27.html`" in text
    many = report(*(bought(labels={"n": str(n)}) for n in range(MOST_ROWS + 3)), by="label:n")
    assert "3 more rows are on the page." in spend_markdown(many, page=None, link=None, expires_at=None)
    assert len(spend_rows(many)) == MOST_ROWS
