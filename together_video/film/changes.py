"""What an edit of a storyboard buys: the changed shots, and all shots made from them."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from together_video.catalogue.pricing import Estimate, total
from together_video.film.plan import FilmPlan
from together_video.film.planned_shot import PlannedShot


class Bought(NamedTuple):
    """A shot of the new storyboard that is bought, and why, in a few words."""

    number: int
    why: str


class Reused(NamedTuple):
    """A shot of the new storyboard that has a clip already, and which old shot it was."""

    number: int
    was: int


class FilmChanges(BaseModel):
    """From an old storyboard to a new one. `dropped` are the old shots that the new film does not show. `cut_again`
    says whether the film itself has to be joined again.
    """

    model_config = ConfigDict(frozen=True)

    bought: tuple[Bought, ...]
    reused: tuple[Reused, ...]
    dropped: tuple[int, ...]
    cut_again: bool
    price: Estimate


def changes(old: FilmPlan, new: FilmPlan) -> FilmChanges:
    """Which shots of the new film are bought, and which are reused, if all clips of the old one exist.

    This compares the requests as they would be sent: a shot that moved, or got another caption, is reused.
    Files are compared by name here. When the film is made, they are compared by content.
    """
    there = {one.key: one.number for one in reversed(old.shots)}
    shown = {one.key for one in new.shots}
    bought: dict[int, Bought] = {}
    for one in new.shots:
        if one.key not in there:
            bought[one.number] = Bought(one.number, _why(one, old, bought))
    paid = [new.shots[number - 1] for number in bought]
    return FilmChanges(
        bought=tuple(bought.values()),
        reused=tuple(Reused(one.number, there[one.key]) for one in new.shots if one.key in there),
        dropped=tuple(one.number for one in old.shots if one.key not in shown),
        cut_again=_film(old) != _film(new),
        price=total(one.estimate for one in paid if one.same_as is None),
    )


def _why(one: PlannedShot, old: FilmPlan, bought: dict[int, Bought]) -> str:
    if one.same_as is not None:
        return f"is made like shot {one.same_as}"
    before = _before(one, old)
    fields = [] if before is None else _different(before, one)
    if one.shot.is_chained and one.number - 1 in bought and not fields:
        return f"{'continues' if one.shot.continues else 'extends'} shot {one.number - 1}, which is bought"
    if before is None:
        return "is new"
    if fields:
        return f"{', '.join(fields)} changed"
    return "follows a different shot than before"


def _before(one: PlannedShot, old: FilmPlan) -> PlannedShot | None:
    """The old shot that corresponds to this one: by name, otherwise by number."""
    name = (one.shot.name or "").casefold()
    named = next((other for other in old.shots if name and (other.shot.name or "").casefold() == name), None)
    if named is not None or name:
        return named
    other = old.shots[one.number - 1] if one.number <= len(old.shots) else None
    return None if other is None or other.shot.name else other


def _different(before: PlannedShot, one: PlannedShot) -> list[str]:
    was, now = before.request.payload(), one.request.payload()
    fields = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return [*fields, *(["take"] if before.shot.take != one.shot.take else [])]


def _film(plan: FilmPlan) -> list[object]:
    """What the film is joined from."""
    parts = [(one.key, one.shot.transition, one.shot.caption, one.shot.audio) for one in plan.shots]
    return [plan.storyboard.title, plan.storyboard.cut, parts]
