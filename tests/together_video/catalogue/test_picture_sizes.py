"""Sizes, ratios and tiers: reading them and finding the closest."""

import pytest

from together_video.catalogue.sizes import (
    Size,
    aspect_of,
    closest_ratio,
    closest_size,
    lines_of,
    size_for,
    wide_size,
)

OFFERED = (Size(864, 480), Size(640, 640), Size(416, 960), Size(1248, 704), Size(640, 1504))


@pytest.mark.parametrize(
    ("text", "aspect"),
    [("16:9", 16 / 9), ("9:16", 9 / 16), (" 2.39:1 ", 2.39), ("1:0", None), ("wide", None)],
)
def test_a_ratio_is_read(text: str, aspect: float | None):
    """Width by height, or None for anything but a ratio."""
    assert aspect_of(text) == aspect


@pytest.mark.parametrize(
    ("text", "lines"),
    [("720P", 720), ("1080p", 1080), ("2k", 1440), ("4K", 2160), ("000p", None), ("huge", None)],
)
def test_a_tier_is_read(text: str, lines: int | None):
    """The lines of a tier's name in any case, or None."""
    assert lines_of(text) == lines


@pytest.mark.parametrize(
    ("wanted", "closest"),
    [
        (Size(1280, 720), Size(1248, 704)),
        (Size(854, 480), Size(864, 480)),
        (Size(1080, 1920), Size(640, 1504)),
        (Size(512, 512), Size(640, 640)),
    ],
)
def test_the_closest_size_keeps_the_shape(wanted: Size, closest: Size):
    """A portrait stays a portrait, and of one shape the nearest area wins."""
    assert closest_size(wanted, OFFERED) == closest
    assert closest_size(wanted, ()) is None


def test_the_closest_ratio_is_by_shape():
    """2:1 is nearest to 16:9; ratios that cannot be read are passed over."""
    assert closest_ratio(2.0, ["9:16", "16:9", "wide"]) == "16:9"
    assert closest_ratio(0.5, ["9:16", "16:9"]) == "9:16"
    assert closest_ratio(1.0, ["wide"]) is None


def test_a_size_is_made_of_lines_and_shape():
    """The shorter edge has the lines, lying or standing."""
    assert size_for(720, 16 / 9) == wide_size(720) == Size(1280, 720)
    assert size_for(720, 9 / 16) == Size(720, 1280)
    assert str(Size(1280, 720)) == "1280x720"
