"""The results of the rounds: a line for each, and a summary of all."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.plans import RoundPlan
from tests.chaos.points import POINTS, Point
from tests.chaos.verdict import Verdict


@dataclass
class Result:
    """The result of a round: its verdict, the kills by point, the creates that were sent."""

    plan: RoundPlan
    verdict: Verdict
    kills: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    starts: int = 0
    creates: int = 0
    billed: int = 0
    #: Ambiguous, and bought again because the bill showed that they had not been charged.
    resolved: int = 0
    seconds: float = 0.0

    @property
    def line(self) -> str:
        """One line for the terminal."""
        verdict = self.verdict
        deaths = ", ".join(f"{name} x{n}" if n > 1 else name for name, n in self.kills.items()) or "no kill"
        return (
            f"round {self.plan.number:>4}  {self.plan.archive}  {'ok    ' if verdict.is_good else 'FAILED'}  "
            f"{self.seconds:5.1f} s  "
            f"{self.creates} creates, {self.billed} billed, {verdict.archived} archived, "
            f"{verdict.ambiguous} held, {verdict.unbilled} of them not billed  ({deaths})"
        )


def summarise(
    results: list[Result], wanted: int, seed: int, seconds: float, *, every_point: bool = False
) -> bool:
    """Print the results of all rounds. True if all is as promised and every point was reached."""
    kills: Counter[str] = sum((result.kills for result in results), Counter())
    missed: Counter[str] = sum((result.missed for result in results), Counter())
    total = {
        "rounds": len(results),
        "starts": sum(result.starts for result in results),
        "kills": kills.total(),
        "server crashes": sum(result.crashes for result in results),
        "POSTs": sum(result.creates for result in results),
        "billed": sum(result.billed for result in results),
        "archived": sum(result.verdict.archived for result in results),
        "held as ambiguous": sum(result.verdict.ambiguous for result in results),
        "held and not billed": sum(result.verdict.unbilled for result in results),
        "... on one machine": sum(r.verdict.unbilled for r in results if r.plan.same_machine),
        "resolved by the bill": sum(result.resolved for result in results),
        "duplicates": sum(len(result.verdict.duplicates) for result in results),
        "losses": sum(len(result.verdict.losses) for result in results),
        "other surprises": sum(len(result.verdict.surprises) for result in results),
    }
    say(f"\nseed {seed}, {seconds:.0f} s")
    for name, number in total.items():
        say(f"{number:>7}  {name}")
    say("\nkills by point (and how often the point was not reached):")
    for name in [*(point.name for point in POINTS), "at random", "interrupted (SIGTERM)"]:
        say(f"{kills[name]:>7}  {name}" + (f"  ({missed[name]})" if missed[name] else ""))
    unseen = unreached(results) if every_point else []
    if unseen:
        say(f"\nFAILED: nothing was killed {', '.join(point.name for point in unseen)}")
    failed = [result.plan.number for result in results if not result.verdict.is_good]
    if failed:
        say(f"\nFAILED: rounds {', '.join(map(str, failed))}")
    return not failed and not unseen and len(results) == wanted


def unreached(results: list[Result]) -> list[Point]:
    """The points at which nothing was killed."""
    kills: Counter[str] = sum((result.kills for result in results), Counter())
    return [point for point in POINTS if not kills[point.name]]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
