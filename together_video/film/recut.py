"""The next cut of a film, from the marks on the takes of its shots: which takes to show, and which to make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from together_video.film.plan import FilmPlan
from together_video.film.storyboard import Storyboard
from together_video.ledger.reviews import Mark
from together_video.text import one_line

#: The marks on the takes of each shot, by the shot's number and the take's.
TakeMarks = Mapping[int, Mapping[int, Mark]]


@dataclass(frozen=True)
class Recut:
    """What the marks ask for: takes to show instead, further takes to make, and shots with marks that do not count
    because they are made from a shot that now shows another take.
    """

    plan: FilmPlan
    uses: dict[int, int] = field(default_factory=dict)
    retakes: dict[int, int] = field(default_factory=dict)
    idle: list[int] = field(default_factory=list)
    why: dict[int, str] = field(default_factory=dict)

    @property
    def storyboard(self) -> Storyboard:
        """The storyboard with the newly chosen takes."""
        return with_takes(self.plan.storyboard, self.uses)

    @property
    def lines(self) -> Iterator[str]:
        """What changes, for people."""
        for number, take in sorted(self.uses.items()):
            was = self.plan.shot(number).shot.take
            words = f"shot {number}: take {take} instead of take {was}, {self.why[number]}"
            if after := self._made_from(number):
                one = len(after) == 1
                some = f"{'shot' if one else 'shots'} {', '.join(map(str, after))}"
                words += f"; {some} {'is' if one else 'are'} made from it and may have to be bought again"
            yield words
        for number, take in sorted(self.retakes.items()):
            yield f"shot {number}: new take {take}, not in the film yet, {self.why[number]}"
        if self.idle:
            some = ", ".join(map(str, self.idle))
            one = len(self.idle) == 1
            yield (
                f"{'shot' if one else 'shots'} {some}: the marks do not count, because "
                f"{'it is' if one else 'they are'} made again from another take"
            )

    def _made_from(self, number: int) -> list[int]:
        found = []
        for one in self.plan.shots[number:]:
            if not one.shot.is_chained:
                break
            found.append(one.number)
        return found


def recut(plan: FilmPlan, marks: TakeMarks) -> Recut:
    """Show the take that was starred last. If none is starred and the shown one is rejected, make another take.

    Its number follows that of the last rejected take, so the same marks always ask for the same take. A shot made from
    a shot that now shows another take becomes another clip, and the marks on the old clip do not apply to it.
    """
    found = Recut(plan)
    changed = False
    for one in plan.shots:
        changed = one.shot.is_chained and changed
        here = marks.get(one.number, {})
        if changed:
            if here:
                found.idle.append(one.number)
            continue
        starred = {take: mark for take, mark in here.items() if mark.mark == "star"}
        rejected = {take: mark for take, mark in here.items() if mark.mark == "reject"}
        shown = one.shot.take
        if starred:
            # Two shots can show two takes of the same request, both starred.
            is_shared = shown in starred and any(
                other.key != one.key and marks.get(other.number) == here for other in plan.shots
            )
            chosen = shown if is_shared else max(starred, key=lambda take: (starred[take].at, take))
            if chosen != shown:
                found.uses[one.number] = chosen
                found.why[one.number] = _why("starred", starred[chosen])
                changed = True
        elif shown in rejected:
            found.retakes[one.number] = max(rejected) + 1
            found.why[one.number] = _why(f"because take {shown} is rejected", rejected[shown])
    return found


def with_takes(storyboard: Storyboard, takes: Mapping[int, int]) -> Storyboard:
    """The storyboard with `use` of these shots, by number."""

    shots = tuple(
        shot.model_copy(update={"use": takes[number]}) if number in takes else shot
        for number, shot in enumerate(storyboard.shots, 1)
    )
    return storyboard.model_copy(update={"shots": shots})


def _why(words: str, mark: Mark) -> str:
    return f"{words}: {one_line(mark.note, 100)}" if mark.note else words
