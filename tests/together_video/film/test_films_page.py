"""docs/films.md is true: its storyboard is one, and it explains every field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from together_video.film import Audio, Cut, Look, Music, Shot, Storyboard
from together_video.film.plan import FilmPlan
from together_video.film.reading import parse_storyboard
from together_video.film.shot_parts import FilmPart

PAGE = (Path(__file__).parents[3] / "docs" / "films.md").read_text(encoding="utf-8")


def test_the_example_can_be_made() -> None:
    """As it stands there."""
    (text,) = re.findall(r"```yaml\n(title:.*?)```", PAGE, re.DOTALL)
    plan = FilmPlan.of(parse_storyboard(text, "yaml", "the page"), strict=True)
    assert not plan.errors
    assert plan.chains == ((1, 2), (3,))


@pytest.mark.parametrize(
    ("part", "start"),
    [(Storyboard, ""), (Look, "look."), (Cut, "cut."), (Shot, ""), (Music, ""), (Audio, "")],
)
def test_every_field_is_explained(part: type[FilmPart], start: str) -> None:
    """Under the name used in files."""
    names = [field.alias or name for name, field in part.model_fields.items()]
    words = set(re.findall(r"`([\w.]+)[`:]", PAGE))
    missing = [name for name in names if f"{start}{name}" not in words]
    assert [name for name in missing if name not in {"look", "cut"}] == []
