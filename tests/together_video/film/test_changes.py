"""What an edit of a storyboard buys: a changed shot and those behind it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from together_video.film.changes import FilmChanges, changes
from together_video.film.plan import FilmPlan
from together_video.film.reading import storyboard_of

FOLLOWS = {"continue": True}
OLD = [
    {"prompt": "a"},
    {"prompt": "b", **FOLLOWS},
    {"prompt": "c", **FOLLOWS},
    {"prompt": "d", **FOLLOWS},
    {"prompt": "e"},
    {"prompt": "f", **FOLLOWS},
]


def plan(shots: list[Any], **fields: Any) -> FilmPlan:
    defaults = {"model": "pixverse/pixverse-v5", "seconds": 5}
    return FilmPlan.of(storyboard_of({"title": "A film", "defaults": defaults, **fields, "shots": shots}))


def edited(number: int, **fields: Any) -> list[Any]:
    return [{**shot, **(fields if n == number else {})} for n, shot in enumerate(OLD, 1)]


def found(new: list[Any], **fields: Any) -> FilmChanges:
    return changes(plan(OLD), plan(new, **fields))


def test_the_same_storyboard_buys_nothing() -> None:
    """And the film need not be cut again."""
    same = found(OLD)
    assert (same.bought, same.dropped, same.cut_again, same.price.usd) == ((), (), False, 0)
    assert [one.number for one in same.reused] == [1, 2, 3, 4, 5, 6]


def test_a_changed_shot_takes_those_behind_it_along() -> None:
    """Those before it, and other chains, are reused."""
    edit = found(edited(3, prompt="c, at night", seed=7))
    assert edit.bought == (
        (3, "prompt, seed changed"),
        (4, "continues shot 3, which is bought"),
    )
    assert [one.number for one in edit.reused] == [1, 2, 5, 6]
    assert edit.dropped == (3, 4)
    assert edit.cut_again
    assert edit.price.usd == 2 * (plan(OLD).shots[0].estimate.usd or 0)


def test_another_take_is_another_last_frame() -> None:
    """So what continues it is bought, too."""
    assert found(edited(5, use=2)).bought == (
        (5, "take changed"),
        (6, "continues shot 5, which is bought"),
    )


@pytest.mark.parametrize(
    "fields", [{"caption": "Night"}, {"transition": {"crossfade": 1}}, {"audio": "mute"}]
)
def test_the_cut_alone_buys_nothing(fields: dict[str, Any]) -> None:
    """Captions, transitions and sound are put on when the film is put together."""
    edit = found(edited(5, **fields))
    assert (edit.bought, edit.cut_again) == ((), True)


def test_settings_of_the_cut_buy_nothing() -> None:
    """Nor does the title."""
    assert found(OLD, cut={"crf": 20}).cut_again
    assert not found(OLD, cut={"crf": 20}).bought


def test_shots_that_moved_are_reused() -> None:
    """A chain that moves as a whole is the same chain."""
    edit = found([*OLD[4:], {"prompt": "new", "name": "fresh"}, *OLD[:4]])
    assert edit.bought == ((3, "is new"),)
    assert [tuple(one) for one in edit.reused] == [(1, 5), (2, 6), (4, 1), (5, 2), (6, 3), (7, 4)]
    assert edit.dropped == ()


def test_a_shot_behind_another_one_is_bought() -> None:
    """Its first frame is another."""
    edit = found([*OLD[:2], *OLD[3:]])
    assert edit.bought == ((3, "prompt changed"),)


def test_the_style_is_in_every_shot() -> None:
    """So another style buys them all."""
    edit = found(OLD, look={"style": "noir"})
    assert [one.number for one in edit.bought] == [1, 2, 3, 4, 5, 6]


def test_a_new_shot_that_is_made_like_another_one() -> None:
    """It is bought once."""
    edit = found([*OLD, {"prompt": "x"}, {"prompt": "x"}])
    assert [one.why for one in edit.bought] == ["is new", "is made like shot 7"]
    assert edit.price.usd == plan(OLD).shots[0].estimate.usd
