"""State that all purchases with one client share: the rate limit, the places for creates, and what was sent."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from prefect_together_video.tasks.running.runs import is_this_run
from together_video.api.client import TogetherClient
from together_video.api.rate_limiter import AdaptiveRateLimiter
from together_video.ledger.records import Claim, VideoRecord

#: How many creates may run at the same time; the others wait for their turn.
CREATING_AT_ONCE = 64

_sessions: WeakKeyDictionary[TogetherClient, PurchaseSession] = WeakKeyDictionary()


class PurchaseSession:
    """`posted` has the ids of claims whose create was sent, unless it is proven that nothing was created."""

    def __init__(self) -> None:
        self.rate_limiter = AdaptiveRateLimiter()
        #: A create takes its place before the claim: a claim that waited for a place would look left behind.
        self.places = asyncio.Semaphore(CREATING_AT_ONCE)
        self.posted: set[str] = set()


def is_bought_here(bought: Claim | VideoRecord, client: TogetherClient) -> bool:
    """Whether a purchase was made with this client, or by the current flow run, which may be a retry."""
    return is_this_run(bought.run) or bought.id in session_of(client).posted


def session_of(client: TogetherClient) -> PurchaseSession:
    """The session of this client; it lives as long as the client."""
    if (session := _sessions.get(client)) is None:
        session = _sessions[client] = PurchaseSession()
    return session
