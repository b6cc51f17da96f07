"""Lines of the index about the same records: in whatever order they are read, the same one holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from together_video.ledger.index import Entry
from together_video.ledger.lines import Newest, merged, standing
from together_video.ledger.records import VideoPlan, VideoRecord
from together_video.ledger.reviews import Mark
from together_video.requests import VideoRequest

NOW = datetime(2026, 11, 27, 21, tzinfo=UTC)


def line(number: int = 0, *, late: bool = False, minutes: int = 0, **more: Any) -> Entry:
    plan = VideoPlan(request=VideoRequest(model="m", prompt=f"fox {number}"))
    at = NOW + timedelta(minutes=minutes)
    record = VideoRecord(id=plan.id, state="archived", plan=plan, recorded_at=at)
    return Entry.of_record(record, f"{number:024x}{'.late' if late else ''}.json")._replace(**more)


def mark(number: int, verdict: str | None, minute: int) -> Mark:
    return Mark.model_validate(
        {"id": f"{number:024x}", "mark": verdict, "at": f"2026-11-27T13:{minute:02}:00Z", "who": "Ann"}
    )


LINES = st.builds(
    lambda number, written, minute, late: line(
        number, late=late, written=written, size=written, checked=f"m{written:032x}" if written else ""
    ).marked(mark(number, "star" if minute % 2 else None, minute) if minute else None),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 5),
    st.booleans(),
)


@given(st.lists(LINES, max_size=12), st.randoms(), st.integers(0, 12))
def test_the_order_does_not_matter(lines: list[Entry], random: Any, at: int) -> None:
    """Nor whether some were merged before: collectors merge what they find, and readers the rest."""
    shuffled = random.sample(lines, len(lines))
    assert sorted(merged(shuffled), key=str) == sorted(merged(lines), key=str)
    in_two = [*merged(shuffled[:at]), *shuffled[at:]]
    assert sorted(merged(in_two), key=str) == sorted(merged(lines), key=str)
    assert {one.name for one in merged(lines)} == {one.name for one in lines}


@given(st.lists(LINES, max_size=12))
def test_what_counts_of_several(lines: list[Entry]) -> None:
    """What was listed last, and the newest mark; of a video that came late only its late record."""
    for one in merged(lines):
        same = [other for other in lines if other.name == one.name]
        assert one.written == max(other.written for other in same)
        assert one.review == max((other.review for other in same if other.review), default=None)
    shown = standing(lines)
    assert {one.id for one in shown} == {one.id for one in lines}
    assert len({one.id for one in shown}) == len(shown)
    assert all(one.is_late or not any(o.is_late and o.id == one.id for o in lines) for one in shown)


def test_the_newest_of_those_that_fit() -> None:
    """With a limit only so many are kept; all that fit are counted."""
    for limit, kept in ((2, [8, 6]), (None, [8, 6, 4, 2, 0]), (9, [8, 6, 4, 2, 0])):
        newest = Newest(limit, lambda one: int(one.name[:24], 16) % 2 == 0)
        for number in (3, 8, 0, 4, 9, 6, 2):
            newest.add(line(number, minutes=number))
        assert ([int(one.name[:24], 16) for one in newest.entries], newest.of) == (kept, 5)
