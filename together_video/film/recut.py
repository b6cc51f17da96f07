"""The next cut of a film, from the marks on the takes of its shots. Pure: which takes to show, and which to make."""

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
    """What the marks ask for: another take that a shot shows, further takes to make, and shots whose marks do not count
    because they are made from a shot that shows another take now.
    """

    plan: FilmPlan
    uses: dict[int, int] = field(default_factory=dict)
    retakes: dict[int, int] = field(default_factory=dict)
    idle: list[int] = field(default_factory=list)
    why: dict[int, str] = field(default_factory=dict)

    @property
    def storyboard(self) -> Storyboard:
        """The storyboard with the takes that are shown now."""
        return with_takes(self.plan.storyboard, self.uses)

    @property
    def lines(self) -> Iterator[str]:
        """What changes, for people."""
        for number, take in sorted(self.uses.items()):
            was = self.plan.shot(number).shot.take
            words = f"shot {number}: take {take} in place of take {was}, {self.why[number]}"
            if after := self._made_from(number):
                one = len(after) == 1
                some = f"{'shot' if one else 'shots'} {', '.join(map(str, after))}"
                words += f"; {some} {'follows' if one else 'follow'} from it, and may have to be bought"
            yield words
        for number, take in sorted(self.retakes.items()):
            yield f"shot {number}: take {take} beside the film, {self.why[number]}"
        if self.idle:
            some = ", ".join(map(str, self.idle))
            one = len(self.idle) == 1
            yield (
                f"{'shot' if one else 'shots'} {some}: the marks do not count, as "
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
    """The take that was starred last is shown. Where none is, and the one that is shown is rejected, another one is
    made: the first behind all that were rejected, so that the same marks always ask for the same take.

    What is made from a shot that shows another take now is another clip: the marks on the old one say nothing of it.
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
            # Two shots may be cut from two takes of the same request, both of them starred.
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
            found.why[one.number] = _why(f"as take {shown} is rejected", rejected[shown])
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
