"""One picture of many videos."""

from __future__ import annotations

from together_video.gallery.contact_sheet import Tile, contact_sheet

SIZE = (240, 135)
LONG = "the beam sweeps over a calm black sea with stars above and a fox on the pier"


def sheet(caption: str, varies: str = "") -> bytes:
    return contact_sheet("foxes", [Tile(caption, "", b"\0" * (SIZE[0] * SIZE[1] * 3), varies)], SIZE)


def test_members_of_a_sweep_are_told_apart() -> None:
    """A caption is cut, and what varies is not; without room for it, nothing is drawn beyond the tile."""
    assert sheet(LONG) == sheet(f"{LONG} once more"), "what is cut is not seen"
    first, second = (sheet(LONG, f"guidance scale 8 · seed {number}") for number in (1, 2))
    assert len({sheet(LONG), first, second}) == 3
    assert sheet(LONG, "word " * 40) == sheet(LONG, "word " * 50)
