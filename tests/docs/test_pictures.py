"""The pictures of the documentation: small enough to load at once, and each is shown somewhere."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PICTURES = {path for path in (ROOT / "docs").rglob("*") if path.suffix in {".png", ".jpg"}}
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
MOST_BYTES = 200_000


def shown() -> dict[Path, list[str]]:
    """Each picture that pages show, with its alternative texts."""
    found: dict[Path, list[str]] = {}
    for page in PAGES:
        for text, link in re.findall(r"!\[([^]]*)\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            found.setdefault((page.parent / link).resolve(), []).append(text)
    return found


def test_each_picture_is_small() -> None:
    """`make screenshots` saves them with fewer colours until they are."""
    assert len(PICTURES) > 10
    assert {path.name: path.stat().st_size for path in PICTURES if path.stat().st_size > MOST_BYTES} == {}


def test_each_picture_is_shown() -> None:
    """And each that is shown is there, with a text for people who do not see it."""
    assert set(shown()) == {path.resolve() for path in PICTURES}
    assert [path.name for path, texts in shown().items() if any(len(text) < 10 for text in texts)] == []
