"""What happens to each video, sent to all listeners in this process as it happens."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_together_video.flows.reporting.audience import Audience
from together_video.ledger.account import NOTHING, Account
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import VideoOutcome


@dataclass(frozen=True)
class Progress:
    """One change of one video: `stage` is a past participle ("created"); `done` of `total` videos have ended.

    A create that is "creating" becomes "created", or "stopped" if the run ended before anything was sent. After "again"
    a failed video is bought again, as far as its attempts and models allow. `outcome` is set once this video has ended
    in this run. `account` is what it cost, in US dollars, also if a child run made it. `out_of_budget` is set if a
    budget or a limit kept it from starting.
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
#: Call a function with every change until the block ends, in addition to earlier listeners.
listening = _audience.joined_by
#: Send a change to all listeners.
tell = _audience.tell
