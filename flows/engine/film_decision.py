"""What a film will cost, which shots are reused, and the question whether to buy the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.decision import decision_of
from prefect_together_video.flows.engine.shots import Foreseen, Shots, foresee_shots
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.prospects import Prospects
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.film.plan import FilmPlan
from together_video.ledger.forecast import FATE_WORDS, Fate, Forecast
from together_video.money import usd
from together_video.text import counted


@dataclass(frozen=True)
class FilmProspects(Prospects):
    """The fate of each shot and each retake of a film, and what they may cost."""

    film: FilmPlan
    foreseen: Sequence[Foreseen]

    @property
    def lines(self) -> list[str]:
        """For people, before anything is bought: the film's length and price, and the fate of each shot."""
        return [f"{self.film.storyboard.title}: {film_words(self.film)}", *map(self._line, self.foreseen)]

    @property
    def words(self) -> list[str]:
        """The fate of each shot and each retake, and its price."""
        return [
            f"take {one.plan.take} of shot {one.number}: {self._words(one)}"
            if one.is_retake
            else self._words(one)
            for one in self.foreseen
        ]

    @property
    def document(self) -> dict[str, Any]:
        """The same for programs."""
        seconds = self.film.form.seconds
        return {
            "title": self.film.storyboard.title,
            "seconds": None if seconds is None else float(seconds),
            "shots": [
                {
                    "shot": one.number,
                    "take": one.plan.take,
                    "is_retake": one.is_retake,
                    "fate": one.fate.value,
                    "same_as": one.same_as,
                    "follows_new": one.follows_new,
                }
                for one in self.foreseen
            ],
        }

    def _line(self, one: Foreseen) -> str:
        shot = self.film.shot(one.number)
        name = f"shot {one.number}"
        if one.is_retake or one.plan.take > 1:
            name = f"take {one.plan.take} of shot {one.number}"
        return f"  {name}: {self._words(one)}: {shot.title}"

    def _words(self, one: Foreseen) -> str:
        if one.same_as is not None:
            return f"the clip of shot {one.same_as}"
        if one.fate is not Fate.BUY:
            return FATE_WORDS[one.fate]
        price = "at an unknown price" if one.plan.most_usd is None else f"for up to {usd(one.plan.most_usd)}"
        if not one.follows_new:
            return f"to buy, {price}"
        shot = self.film.shot(one.number).shot
        verb = "continues" if shot.continues else "extends"
        return f"to buy, {price}, as it {verb} shot {one.number - 1}"


def film_words(film: FilmPlan) -> str:
    """`4 shots, about 12 s, at most 1.20 USD if all of it is bought`"""
    seconds = film.form.seconds
    about = "of unknown length" if seconds is None else f"about {seconds:.1f} s"
    most = film.total.usd
    price = "of unknown price" if most is None else f"at most {usd(most)} if all of it is bought"
    return f"{counted(len(film.shots), 'shot')}, {about}, {price}"


async def foresee_film(ledger: Ledger, shots: Shots, policy: RunPolicy) -> FilmProspects:
    """The fate of each shot and retake, and what they may cost.

    Raises:
        ArchiveError: the archive does not answer.
    """
    foreseen = await foresee_shots(shots, ledger, policy)
    counts = [one for one in foreseen if one.same_as is None]
    plans, fates = [one.plan for one in counts], [one.fate for one in counts]
    forecast = Forecast.of(plans, fates, budget_usd=policy.budget_usd, left_usd=await ledger.spending.left())
    return FilmProspects(plans, fates, forecast, shots.film, foreseen)


async def decide_film(
    ledger: Ledger, shots: Shots, policy: RunPolicy, keep: Callable[[Ledger], Awaitable[object]]
) -> FilmProspects:
    """Show what the film will cost and ask for approval, then store its media in the archive.

    Raises:
        NotApproved: it must not be bought.
        MediaRefused, ArchiveError: see `media_upload.keep_media`.
    """
    prospects = await foresee_film(ledger, shots, policy)
    for line in prospects.lines:
        run_logger().info("%s", line)
    decider = decision_of()
    if decider is not None and decider.cares(prospects.forecast):
        await decider.decide(prospects)
    await keep(ledger)
    return prospects
