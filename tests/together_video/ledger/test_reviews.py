"""Marks: a file of a stranger gives marks or one sentence, and the newest of a clip counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.errors import InputError
from together_video.ledger.layout import Layout
from together_video.ledger.reviews import (
    LARGEST_REVIEW,
    MOST_MARKS,
    Mark,
    newest,
    parse_review,
    stored_mark,
)

NOW = datetime(2026, 11, 27, 22, tzinfo=UTC)
FOX, OWL = "a" * 24, "b" * 24


def document(*marks: dict[str, Any], **more: Any) -> bytes:
    listed = [{"id": FOX, "mark": "star", "note": "", "at": "2026-11-27T21:00:00Z", **mark} for mark in marks]
    return json.dumps({"review": 1, "batch": None, "who": "Ann", "marks": listed, **more}).encode()


def parsed(*marks: dict[str, Any], who: str | None = None, **more: Any) -> list[Mark]:
    return parse_review(document(*marks, **more), "marks.json", now=NOW, who=who)


def test_a_file_of_a_gallery_gives_its_marks() -> None:
    """With who made them and of which batch; notes are on one line, times in UTC."""
    batch = "20261127T195055-0d074f"
    (fox, owl) = parsed(
        {"note": "too\ndark \x1b[31m"},
        {"id": OWL, "mark": "reject", "at": "2026-11-27T22:30:00.123+02:00"},
        batch=batch,
    )
    assert (fox.mark, fox.note, fox.who, fox.batch) == ("star", "too dark [31m", "Ann", batch)
    assert (owl.mark, owl.at) == ("reject", datetime(2026, 11, 27, 20, 30, 0, 123_000, tzinfo=UTC))
    assert parsed({}, who="Bo", batch="a page", more=[1])[0].who == "Bo"
    assert parsed({}, batch="a page")[0].batch is None
    assert parsed({"mark": None, "note": None})[0].is_taken_back
    assert parse_review(b"\xef\xbb\xbf" + document({}), "m", now=NOW) == parsed({})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "not a file of marks"),
        (document({}, review=2), "review: must be 1"),
        (document({"id": "A" * 24}), "mark 1: id: is not the id of a video"),
        (document({}, {"id": f"{FOX}\n"}), "mark 2: id: is not the id of a video"),
        (document({"mark": "like"}), 'mark: must be "star" or "reject"'),
        (document({"note": "x" * 1_001}), "note: has more than 1000 characters"),
        (document({"at": 1_790_000_000}), "at: is not a time such as"),
        (document({"at": "2026-11-27T21:00:00"}), "at: is not a time such as"),
        (document({"at": "2026-13-27T21:00:00Z"}), "mark 1: at: "),
        (document({"at": "2019-11-27T21:00:00Z"}), "at: is before 2020"),
        (document({"at": "2026-11-29T21:00:00Z"}), "is in the future"),
        (b" " * (LARGEST_REVIEW + 1), "has more than 8 MB"),
        (json.dumps({"review": 1, "marks": [{}] * (MOST_MARKS + 1)}).encode(), "marks: "),
    ],
    ids=range(15),
)
def test_what_cannot_be_used_is_said_in_one_sentence(data: bytes, said: str) -> None:
    """Nothing of such a file is used."""
    with pytest.raises(InputError) as caught:
        parse_review(data, "marks\x1b.json", now=NOW)
    message = caught.value.message
    assert said in message
    assert message.isprintable()
    assert len(message) < 700


@given(
    st.lists(st.tuples(st.sampled_from(["star", "reject", None]), st.integers(0, 3)), min_size=1, max_size=5)
)
def test_the_newest_counts_in_whatever_order(said: list[tuple[str | None, int]]) -> None:
    """The latest of a clip; of two of one moment always the same one."""
    marks = [
        Mark.model_validate(
            {"id": FOX, "mark": mark, "at": f"2026-11-27T21:00:0{second}Z", "who": f"{number}"}
        )
        for number, (mark, second) in enumerate(said)
    ]
    results = {newest(order)[FOX].content for order in permutations(marks)}
    assert len(results) == 1
    assert newest(marks)[FOX].at == max(mark.at for mark in marks)


MARKS = st.builds(
    Mark,
    id=st.sampled_from([FOX, OWL]),
    mark=st.sampled_from(["star", "reject", None]),
    note=st.text(max_size=60),
    who=st.text(max_size=60),
    at=st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1)).map(lambda at: f"{at.isoformat()}Z"),
)


@given(MARKS, MARKS)
def test_a_mark_is_read_back_under_its_own_name(mark: Mark, other: Mark) -> None:
    """The same mark has the same name and bytes, another one has another; names are ours, and sort by time."""
    name = mark.object_name
    assert stored_mark(mark.id, name, mark.content) == mark
    assert Layout().is_own("reviews", f"reviews/{mark.id}/{name}")
    assert (mark == other) == (name == other.object_name and mark.id == other.id)
    if mark.at < other.at:
        assert name < other.object_name
    for video, called, data in (
        (FOX if mark.id == OWL else OWL, name, mark.content),
        (mark.id, name.replace("Z-", "Z-x"), mark.content),
        (mark.id, name, mark.content.replace(b'"note"', b'"node"')),
        (mark.id, name, b"[]"),
    ):
        if mark.note or b"node" not in data:
            with pytest.raises(ValueError, match=r"\w"):
                stored_mark(video, called, data)
