"""Which font has the letters of a text."""

from __future__ import annotations

import pytest

from together_video.film.caption_checks import undrawn_captions
from together_video.film.reading import storyboard_of
from together_video.media import lettering


@pytest.mark.parametrize("text", ["Straße", "one — two", "ü ö é ñ – … ’ “q” €", "Ωж"])
def test_letters_that_a_wider_font_has_are_drawn(text: str) -> None:
    """Pillow's own font draws boxes for some of them."""
    font = lettering.font_for(text, 20)
    boxes = [letter for letter in text if font.getmask(letter).size == font.getmask("\uffff").size]
    if lettering.unlettered(text):
        pytest.skip("no such font is installed")
    assert [one for one in boxes if bytes(font.getmask(one)) == bytes(font.getmask("\uffff"))] == []


def test_letters_of_no_font_are_named() -> None:
    """Once each, and not the blank between them."""
    assert lettering.unlettered("a \uffff\ufffe \uffff") == "\uffff\ufffe"
    board = {"title": "t", "shots": [{"prompt": "a", "caption": "\U000f0000"}], "cut": {"captions": "burned"}}
    (found,) = undrawn_captions(storyboard_of(board))
    assert "the film would show boxes" in found.message
    assert undrawn_captions(storyboard_of({**board, "cut": {"captions": "vtt"}})) == []
