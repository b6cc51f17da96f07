"""What was verified counts only while each listed size and time is what it was."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from together_video.ledger.index import UNLISTED, Entry, packed, unpacked
from together_video.ledger.records import StoredObject, VideoPlan, VideoRecord
from together_video.ledger.verified import Named, Seen, can_be_checked, checked, is_verified, poster_key
from together_video.requests import VideoRequest

NOW = datetime(2026, 11, 27, tzinfo=UTC)
NUMBERS = st.integers(0, 2**62)
SEEN = st.builds(Seen, NUMBERS, NUMBERS)
OBJECTS = st.lists(
    st.tuples(st.text("ab/.,-1", max_size=9), SEEN | st.none()), max_size=4, unique_by=lambda one: one[0]
)
FACTS = st.tuples(st.text("0123456789abcdef.json", max_size=9), SEEN, OBJECTS)

Facts = tuple[str, Seen, list[Named]]


@given(FACTS, FACTS, st.booleans())
def test_other_facts_give_another_digest(one: Facts, other: Facts, deep: bool) -> None:
    """Whatever differs: a name, a size, a time, an object more, less or missing."""
    assert is_verified(checked(*one, deep=deep), *one, deep=deep)
    assume(one != other)
    assert checked(*one, deep=deep) != checked(*other, deep=deep)
    assert not is_verified(checked(*one, deep=deep), *other, deep=deep)


@given(FACTS, st.data())
def test_any_change_of_one_object_is_noticed(facts: Facts, data: st.DataObject) -> None:
    """The record or any other object: of another size, written at another time, or gone."""
    name, record, objects = facts
    found = checked(name, record, objects, deep=True)
    by, places = data.draw(st.integers(1, 2**40)), [place for place, (_, seen) in enumerate(objects) if seen]
    changes: list[tuple[Seen, list[Named]]] = [
        (record._replace(size=record.size + by), objects),
        (record._replace(written=record.written + by), objects),
    ]
    for place in places:
        key, seen = objects[place]
        assert seen is not None
        for other in (
            seen._replace(size=seen.size + by),
            seen._replace(written=seen.written + by),
            None,
        ):
            changes.append((record, [*objects[:place], (key, other), *objects[place + 1 :]]))
    assert not any(is_verified(found, name, *change, deep=False) for change in changes)


@given(FACTS)
def test_metadata_do_not_stand_for_content(facts: Facts) -> None:
    """What was read back need not be compared by metadata again, but not the other way round."""
    assert is_verified(checked(*facts, deep=True), *facts, deep=False)
    assert not is_verified(checked(*facts, deep=False), *facts, deep=True)
    assert not is_verified("", *facts, deep=False)


@given(FACTS, st.booleans())
def test_the_index_takes_it(facts: Facts, deep: bool) -> None:
    plan = VideoPlan(request=VideoRequest(model="m", prompt="a fox"))
    record = VideoRecord(id=plan.id, state="failed", plan=plan, recorded_at=NOW)
    line = Entry.of_record(record, f"{plan.id}.json", size=1, written_at=NOW)
    line = line._replace(checked=checked(*facts, deep=deep))
    assert [found for _, data in packed([line]) for found in unpacked(data)] == [line]


@given(st.from_regex(r"([a-z.]{0,2}[a-z]/){0,2}[a-z]([a-z.]{0,5}[a-z])?", fullmatch=True))
def test_a_poster_lies_beside_its_video(key: str) -> None:
    assert poster_key(key) == str(PurePosixPath(key).with_suffix(".jpg"))


@pytest.mark.parametrize(
    ("key", "poster"),
    [
        ("videos/a.mp4", "videos/a.jpg"),
        ("a.b/c", "a.b/c.jpg"),
        ("a/.x", "a/.x.jpg"),
        ("", None),
        (None, None),
    ],
)
def test_odd_keys_have_a_poster_too(key: str | None, poster: str | None) -> None:
    """A line of the index may have any text there."""
    assert poster_key(key) == poster


def test_what_a_line_does_not_name_is_never_checked() -> None:
    """A poster elsewhere, or media that the line has no room for."""
    plan = VideoPlan(request=VideoRequest(model="m", prompt="a fox"))
    video = StoredObject(key="videos/a.mp4", size=1, sha256="ab", content_type="video/mp4")
    beside, elsewhere = (video.model_copy(update={"key": key}) for key in ("videos/a.jpg", "videos/b.jpg"))
    record = VideoRecord(id=plan.id, state="archived", plan=plan, recorded_at=NOW, video=video, poster=beside)
    assert can_be_checked(record, "")
    assert not can_be_checked(record, UNLISTED)
    assert not can_be_checked(record.model_copy(update={"poster": elsewhere}), "")
    assert not can_be_checked(record.model_copy(update={"video": None}), "")
