"""The packed list of a month: what was packed is read, and what is not is refused in little memory."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.facts import record_of
from together_video.ledger.index import MOST_LINES, MOST_PACKED, Entry, packed, unpacked
from together_video.ledger.layout import Layout
from together_video.ledger.records import VideoPlan
from together_video.requests import VideoRequest

NOW = datetime(2026, 11, 27, 21, 0, 0, 123_456, tzinfo=UTC)


def entry(number: int = 0, **more: Any) -> Entry:
    plan = VideoPlan(request=VideoRequest(model="m", prompt=f"fox {number}", labels={"campaign": "spring"}))
    record = record_of(plan, state="archived", recorded_at=NOW, cost_usd=Decimal("0.28"), job_id="j")
    made = Entry.of_record(record, f"{number:024x}.json", size=9, written_at=NOW)
    return made._replace(**more)


@given(
    st.lists(
        st.builds(
            entry,
            st.integers(0, 2**90),
            prompt=st.text(max_size=50).filter(str.isprintable),
            note=st.text(max_size=50).filter(str.isprintable),
            cost=st.none() | st.just("12.5"),
            seconds=st.none() | st.floats(0, 100),
            labels=st.dictionaries(st.just("a"), st.text(max_size=9).filter(str.isprintable)),
            written=st.integers(0, 2**60),
        ),
        max_size=8,
        unique_by=lambda line: line.name,
    )
)
def test_what_is_packed_is_read(entries: list[Entry]) -> None:
    """Every line, with any content; the same lines in another order are the same object."""
    made = list(packed(entries))
    assert sorted(line for _, data in made for line in unpacked(data)) == sorted(entries)
    assert [name for name, _ in packed(entries[::-1])] == [name for name, _ in made]
    assert all(Layout().is_own("index", f"index/2026-11/{name}") for name, _ in made)


def test_a_month_that_grows_keeps_its_first_objects() -> None:
    """So a rebuild writes the last one only."""
    lines = [entry(number, written=number) for number in range(MOST_LINES + 1)]
    before = [name for name, _ in packed(lines)]
    after = [name for name, _ in packed([*lines, entry(MOST_LINES + 1, written=MOST_LINES + 1)])]
    assert (len(before), len(after)) == (2, 2)
    assert before[0] == after[0]
    long = [entry(number, written=number, prompt="x" * 1_000, note="y" * 1_000) for number in range(2_500)]
    assert len(list(packed(long))) == 2


COLUMNS = {**dict(zip(Entry._fields, ([value] for value in entry()), strict=True)), "index": 2}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        gzip.compress(b"{}"),
        gzip.compress(json.dumps(COLUMNS).encode())[:-9],
        gzip.compress(json.dumps({**COLUMNS, "index": 1}).encode()),
        gzip.compress(json.dumps({**COLUMNS, "name": ["../secret"]}).encode()),
        gzip.compress(json.dumps({**COLUMNS, "cost": ["1e999999"]}).encode()),
        gzip.compress(json.dumps({**COLUMNS, "varies": ["x" * 61]}).encode()),
        gzip.compress(json.dumps({**COLUMNS, "size": [1, 2]}).encode()),
        gzip.compress(json.dumps({**COLUMNS, "mark": ["like"]}).encode()),
        b"x" * (MOST_PACKED + 1),
    ],
    ids=range(11),
)
def test_what_was_not_packed_is_refused(data: bytes) -> None:
    """Also where it is cut off, or too large."""
    assert unpacked(gzip.compress(json.dumps(COLUMNS).encode()))
    with pytest.raises(ValueError, match=r"\w"):
        unpacked(data)


def test_a_bomb_is_not_unpacked() -> None:
    """A hundred kilobytes that become a hundred megabytes are given up at the bound."""
    bomb = gzip.compress(b" " * 100 * 2**20, 1)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="too large"):
            unpacked(bomb)
        assert tracemalloc.get_traced_memory()[1] < 120 * 2**20
    finally:
        tracemalloc.stop()


def test_an_absurd_cost_is_short() -> None:
    """A record may say 1e-1000000 dollars."""
    plan = VideoPlan(request=VideoRequest(model="m", prompt="p"))
    for cost, text in (("1e-1000000", "0"), ("-3", "0"), ("1e3", "1000"), ("0.2800", "0.28")):
        record = record_of(plan, state="failed", recorded_at=NOW, cost_usd=Decimal(cost), error="x" * 999)
        made = Entry.of_record(record, f"{plan.id}.json", size=1, written_at=NOW)
        assert (made.cost, len(made.error or "")) == (text, 300)
