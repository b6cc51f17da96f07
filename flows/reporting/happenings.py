"""What happens to a run as a whole, for displays in this process: the number of videos, the current phase, parts.

`progress` has the changes of single videos. No video depends on anything here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from prefect_together_video.flows.reporting.audience import Audience
from together_video.ledger.account import NOTHING, Account


@dataclass(frozen=True)
class Phase:
    """What the run does now, in words for people: "Writing 4 prompts"."""

    words: str


@dataclass(frozen=True)
class Planned:
    """How many videos the run will make, and its budget in US dollars.

    `usual` gives the usual seconds of a model's jobs, as far as they are known. `parts` are the child runs that make
    the videos, if this run does not make them itself.
    """

    total: int
    budget_usd: Decimal | None = None
    usual: Callable[[str], float | None] = lambda _: None
    parts: int = 0


@dataclass(frozen=True)
class PartProgress:
    """How far a child run has come with its part of the videos: how many are in each state, and the money."""

    number: int
    parts: int
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)
    account: Account = NOTHING
    is_over: bool = False


Happening = Phase | Planned | PartProgress

_audience = Audience[Happening]("watchers")
#: Call a function with everything that happens until the block ends, in addition to earlier watchers.
watching = _audience.joined_by
#: Tell all watchers what happens.
happens = _audience.tell
