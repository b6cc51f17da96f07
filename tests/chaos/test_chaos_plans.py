"""The plans of the tour: each point is visited, and again if nothing was killed there."""

from __future__ import annotations

from collections import Counter

from tests.chaos.plans import RoundPlan, tour, tour_again
from tests.chaos.points import POINTS, named
from tests.chaos.results import Result, unreached
from tests.chaos.verdict import Verdict


def _visited(plans: list[RoundPlan]) -> set[str]:
    deaths = [actor.death for plan in plans for act in plan.acts for actor in act.actors]
    return {death[0].name for death in deaths if isinstance(death, tuple)}


def test_the_tour_visits_each_point() -> None:
    """No point is left to chance."""
    assert _visited(tour(7)) == {point.name for point in POINTS}


def test_a_point_that_was_not_reached_gets_a_round_of_its_own() -> None:
    """In the same kind of run, and under a number that no round of the tour has."""
    killed = Result(tour(7)[0], Verdict(), kills=Counter({point.name: 1 for point in POINTS[:-3]}))
    missed = unreached([killed])
    assert missed == list(POINTS[-3:])
    again = tour_again(7, [named("between POST and job.json"), *missed])
    assert _visited(again) >= {"between POST and job.json", *(point.name for point in missed)}
    assert [plan.acts[-1].actors[0].who for plan in again] == ["batch", "collect", "collect", "collect"]
    assert not {plan.number for plan in again} & {plan.number for plan in tour(7)}
