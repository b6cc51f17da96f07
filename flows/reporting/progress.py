"""What happens to each video, told to all listeners in this process as it happens."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_together_video.flows.reporting.audience import Audience
from together_video.ledger.account import NOTHING, Account
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import VideoOutcome


@dataclass(frozen=True)
class Progress:
    """One change of one video: `stage` is a verb in the past ("created"), `done` of `total` are over.

    A create that is "creating" becomes "created", or "stopped" where the run ended before anything was sent. After
    "again" a failed video is bought once more, as far as its attempts and models allow.
    `outcome` is there once this one is over in this run, `account` what it cost, in US dollars, also where a child run
    has made it; `out_of_budget` where a budget or a limit kept it from beginning.
    """

    plan: VideoPlan
    stage: str
    detail: str = ""
    done: int = 0
    total: int = 0
    outcome: VideoOutcome | None = None
    account: Account = NOTHING
    out_of_budget: bool = False


_audience = Audience[Progress]("progress_listeners")
#: Call a function with every change until the block ends, beside those who listen already.
listening = _audience.joined_by
#: Tell all who listen of a change.
tell = _audience.tell
