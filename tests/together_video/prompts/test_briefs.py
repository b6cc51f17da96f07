"""Briefs: bounds, and the name under which their prompts are stored."""

import pytest
from pydantic import ValidationError

from together_video.prompts.briefs import DEFAULT_CHAT_MODEL, Brief, brief_id


def test_every_field_has_words_for_the_form() -> None:
    """The Prefect UI shows a title and a whole sentence for each parameter."""
    for field in Brief.model_fields.values():
        assert field.title
        assert field.description
        assert field.description.endswith(".")


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "   "},
        {"subject": "x" * 4_001},
        {"subject": "x", "count": 0},
        {"subject": "x", "count": 201},
        {"subject": "x", "seconds": 0},
        {"subject": "x", "seconds": float("inf")},
        {"subject": "x", "chat_model": " "},
        {"subject": "x", "colour": "red"},
    ],
)
def test_what_is_out_of_bounds_is_refused(fields: dict[str, object]) -> None:
    """A brief that cannot work is refused before anything is asked of a model."""
    with pytest.raises(ValidationError):
        Brief.model_validate(fields)


def test_the_longest_subject_and_the_largest_count_pass() -> None:
    """The bounds themselves are allowed."""
    brief = Brief(subject="x" * 4_000, count=200)
    assert (len(brief.subject), brief.count) == (4_000, 200)


def test_the_id_follows_from_what_was_asked_and_from_the_edition() -> None:
    """Equal briefs share an id in one edition; another wish or edition has another."""
    first = brief_id(Brief(subject="a fox", seconds=6))
    assert first == brief_id(Brief.model_validate({"subject": " a fox ", "seconds": "6.0"}))
    others = {
        brief_id(Brief(subject="a fox", seconds=6), "2026-11-20"),
        brief_id(Brief(subject="a fox", seconds=5)),
        brief_id(Brief(subject="a Fox", seconds=6)),
        brief_id(Brief(subject="a fox", seconds=6, count=5)),
    }
    assert len(others | {first}) == 5
    assert len(first) == 24
    assert int(first, 16) >= 0


def test_the_id_is_the_same_in_every_version() -> None:
    """A default that is named is the default, and the id of a stored brief never changes."""
    assert brief_id(Brief(subject="a fox")) == "30f40c8722afffef97a92184"
    named = Brief(subject="a fox", count=4, language="English", chat_model=DEFAULT_CHAT_MODEL)
    assert brief_id(named) == brief_id(Brief(subject="a fox"))
