"""The film of a round: short shots, some continuing the one before, and a crossfade in every second round."""

from __future__ import annotations

from typing import Any

from tests.chaos.plans import RoundPlan


def storyboard(plan: RoundPlan, defaults: dict[str, Any]) -> dict[str, Any]:
    """One shot for each prompt. Every second one continues the shot before."""
    shots: list[dict[str, Any]] = [
        {
            "prompt": plan.prompt(number),
            "caption": f"Shot {number}",
            **({"continue": True} if number % 2 == 0 else {}),
            **({"crossfade": 0.25} if number == 3 and plan.number % 2 else {}),
        }
        for number in range(1, len(plan.takes) + 1)
    ]
    return {"title": plan.tag, "defaults": defaults, "shots": shots}
