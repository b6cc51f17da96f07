"""docs/films.md is true: its storyboard is one, and it explains every field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from together_video.film import Audio, Cut, Look, Music, Shot, Storyboard
from together_video.film.plan import FilmPlan
from together_video.film.reading import parse_storyboard
from together_video.film.shot_parts import FilmPart

_ROOT = Path(__file__).parents[3]
PAGE = (_ROOT / "docs" / "films.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["docs/films.md", "README.md"])
def test_the_example_can_be_made(page: str) -> None:
    """As it stands there."""
    blocks = re.findall(r"```yaml\n(.*?)```", (_ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    (text,) = [block for block in blocks if block.startswith("title:")]
    plan = FilmPlan.of(parse_storyboard(text, "yaml", page), strict=True)
    assert not plan.errors
    assert plan.chains == ((1, 2), (3,))


@pytest.mark.parametrize(
    ("part", "start"),
    [(Storyboard, ""), (Look, "look."), (Cut, "cut."), (Shot, ""), (Music, ""), (Audio, "")],
)
def test_every_field_is_explained(part: type[FilmPart], start: str) -> None:
    """Under the name that stands in files."""
    names = [field.alias or name for name, field in part.model_fields.items()]
    words = set(re.findall(r"`([\w.]+)[`:]", PAGE))
    missing = [name for name in names if f"{start}{name}" not in words]
    assert [name for name in missing if name not in {"look", "cut"}] == []
