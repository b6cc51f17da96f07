"""The settings that control how a run polls, what it may spend, and what it buys again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from together_video.polling.policy import PollPolicy

#: What to do with a create of an earlier run that had no clear answer.
OnAmbiguous = Literal["hold", "resolve", "resubmit"]

#: What each parameter of a run means, for Prefect's forms and the help of the command line.
MEANING = {
    "edition": "When an identical request may be bought again: once (never), daily (in UTC), daily@Europe/Berlin, "
    "hourly, or a text of your own.",
    "in_flight": "How many videos may be in flight at the same time.",
    "budget_usd": "The most that this run may spend, in US dollars. Videos that do not fit are skipped.",
    "price_usd": "Highest price of one video, in US dollars, if the catalogue knows none.",
    "retry_failed": "Buy again what the provider reported as failed in an earlier run.",
    "attempts": "How often this run may buy a video from one model if the provider fails its jobs. Videos that would "
    "fail again are not bought again. Failed attempts of earlier runs count.",
    "new_seed": "Buy a failed video again with another seed, derived from the old one, if its request has a seed.",
    "fallback_models": "Models that take over, in this order, if one is refused, retired or overloaded, or has failed "
    "all its attempts. The request is fitted to each; a model that cannot make the video is left out, with a warning.",
    "tries": "For each request, its own attempts, new seed and fallback models.",
    "on_ambiguous": "A create of an earlier run had no clear answer and may have been charged: "
    "hold it, resolve it with the provider's bill and buy again only what was not charged, or resubmit it and perhaps "
    "pay twice.",
    "strict": "Treat warnings of the check as errors.",
    "local_files": "Whether requests may name files of the machine that makes them. Set to false for requests of "
    "people who may not read that machine's files: errors then do not say what it sees at their links.",
    "approve": "Suspend the run with its plan and price in a form, and buy nothing before a person approves it. "
    "Only runs of a deployment can wait.",
    "approve_hours": "How many hours a run waits for approval before it ends as Cancelled.",
    "share_days": "Put a page into the bucket that anyone with the link can open for this many days, 7 at most. The "
    "run shows the link as an artifact.",
    "workers": "How many workers share the videos, as runs of the deployment `part of a batch`.",
}


@dataclass(frozen=True)
class RunPolicy:
    """Built once from a flow's parameters. `MEANING` explains each setting; without `poll` the default applies.

    `trusts_requests`: whether errors may say what this machine sees of the network; the requests' author reads them.
    """

    poll: PollPolicy | None = None
    in_flight: int = 20
    budget_usd: Decimal | None = None
    retry_failed: bool = False
    on_ambiguous: OnAmbiguous = "hold"
    trusts_requests: bool = True

    def for_part(self, parts_at_once: int) -> dict[str, Any]:
        """The JSON parameters of one of several child runs. The budget is not included: the caller divides it."""
        return {
            "poll": None if self.poll is None else self.poll.model_dump(mode="json"),
            "in_flight": max(1, -(-self.in_flight // parts_at_once)),
            "retry_failed": self.retry_failed,
            "on_ambiguous": self.on_ambiguous,
            "local_files": self.trusts_requests,
        }
