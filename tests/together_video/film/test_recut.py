"""The next cut of a film, from the marks on its takes, and the storyboard's text with it."""

from __future__ import annotations

import pytest

from together_video.film.plan import FilmPlan
from together_video.film.reading import parse_storyboard
from together_video.film.recut import recut, with_takes
from together_video.film.text_edits import text_with_takes
from together_video.ledger.reviews import Mark

STORY = """\
# Ours: keep this line.
title: Sea
shots:
  - name: one   # the boat
    prompt: a boat
  - {prompt: it leaves, continue: true}
  - prompt: a whale
    use: take 2
  - "prompt": the coast
"""


def mark(word: str, minute: int = 0, note: str = "") -> Mark:
    return Mark.model_validate(
        {"id": "0" * 24, "mark": word, "note": note, "at": f"2026-03-04T09:{minute:02}:00Z"}
    )


def plan() -> FilmPlan:
    return FilmPlan.of(parse_storyboard(STORY, "yaml", "story"))


def test_the_take_that_was_starred_last_is_shown() -> None:
    """Also over a rejected one. Marks on what is made from another take now do not count, and lines say so."""
    found = recut(
        plan(),
        {
            1: {1: mark("reject"), 2: mark("star"), 3: mark("star", 5, "lovely")},
            2: {1: mark("star"), 2: mark("reject")},
            3: {2: mark("star", 9)},
        },
    )
    assert (found.uses, found.retakes, found.idle) == ({1: 3}, {}, [2])
    assert list(found.lines) == [
        "shot 1: take 3 instead of take 1, starred: lovely; shot 2 is made from it and may have to be bought again",
        "shot 2: the marks do not count, because it is made again from another take",
    ]
    assert [shot.use for shot in found.storyboard.shots] == [3, None, 2, None]


def test_a_rejected_take_that_is_shown_asks_for_the_next_one() -> None:
    """The one behind all that were rejected: the same marks always ask for the same take. Rejected takes that the film
    does not show ask for none."""
    found = recut(
        plan(), {1: {2: mark("reject")}, 2: {1: mark("reject")}, 3: {2: mark("reject"), 4: mark("reject")}}
    )
    assert (found.uses, found.retakes, found.idle) == ({}, {2: 2, 3: 5}, [])


def test_two_takes_of_one_request_both_stay() -> None:
    """Two shots that are made alike are cut from two takes of one request: both are starred, and neither moves."""
    story = parse_storyboard(
        "title: Sea\nshots:\n  - {prompt: a boat}\n  - {prompt: a boat, use: 2}\n", "yaml", "story"
    )
    both = {1: mark("star"), 2: mark("star", 5)}
    assert recut(FilmPlan.of(story), {1: both, 2: both}).uses == {}


def test_the_text_keeps_everything_else() -> None:
    """Comments and order stay; a take that is named already is replaced, in a block and in braces."""
    text = text_with_takes(STORY, "yaml", {1: 3, 2: 2, 3: 4, 4: 2})
    assert text == (
        STORY.replace("- name: one", "- use: 3\n    name: one")
        .replace("{prompt: it", "{use: 2, prompt: it")
        .replace("take 2", "4")
        .replace('- "prompt"', '- use: 2\n    "prompt"')
    )
    assert text_with_takes('{"title": "Sea", "shots": [{"prompt": "a"}]}', "json", {1: 2}) == (
        '{"title": "Sea", "shots": [{"use": 2, "prompt": "a"}]}'
    )


@pytest.mark.parametrize("shots", ["  - a boat", "  - ? prompt\n    : a boat"])
def test_a_text_that_cannot_be_kept_is_not_guessed(shots: str) -> None:
    """What is given is either the same storyboard with the take, or nothing."""
    text = f"title: Sea\nshots:\n{shots}\n"
    edited = text_with_takes(text, "yaml", {1: 2})
    expected = with_takes(parse_storyboard(text, "yaml", "story"), {1: 2})
    assert edited is None or parse_storyboard(edited, "yaml", "story") == expected
    assert edited is None or "a boat" in edited
