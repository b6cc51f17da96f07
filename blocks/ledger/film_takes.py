"""The takes of a film's shots: everything bought for the same request, whether the film shows it or not."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from prefect_together_video.blocks.ledger.ledger import Ledger
from together_video.errors import ArchiveError, StoreUnavailable
from together_video.film.record import FilmRecord, FilmShot
from together_video.inputs.lines import MOST_TAKES
from together_video.ledger.records import Claim, VideoPlan, VideoRecord

_log = logging.getLogger("together_video")

#: How many records are read at the same time.
_AT_ONCE = 16
#: Takes are counted from 1. After this many in a row that were never bought, there are no more.
_APART = 5


class ShotTake(NamedTuple):
    """One take of a shot: its record, or its claim if it is in flight. Neither, if somebody removed its record."""

    shot: FilmShot
    take: int
    record: VideoRecord | None
    claim: Claim | None = None

    @property
    def is_used(self) -> bool:
        """Whether the film uses it."""
        return self.take == self.shot.take


async def takes_of(ledger: Ledger, film: FilmRecord) -> list[ShotTake]:
    """The takes of each shot, in the order of the film; for each shot, the take that the film shows comes first.

    Raises:
        ArchiveError: the archive cannot be read.
    """
    looked = _Takes(ledger, frozenset(await ledger.in_flight()))
    return [take for several in await asyncio.gather(*map(looked.of, film.shots)) for take in several]


class _Takes:
    def __init__(self, ledger: Ledger, in_flight: frozenset[str]) -> None:
        self._ledger, self._in_flight = ledger, in_flight
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def of(self, shot: FilmShot) -> list[ShotTake]:
        used = await self._record(shot.id)
        found = [ShotTake(shot, shot.take, used)]
        # A video that another model made does not show what the first model was asked.
        asked = None if used is None or used.plan.instead_of else _asked(used.plan)
        for begin in range(1, MOST_TAKES, _APART):
            if asked is None:
                break
            numbers = [take for take in range(begin, begin + _APART) if take != shot.take]
            plans = [asked.model_copy(update={"take": take}) for take in numbers]
            several = await asyncio.gather(*map(self._newest, plans))
            there = [
                ShotTake(shot, take, record, claim)
                for take, (record, claim) in zip(numbers, several, strict=True)
                if record or claim
            ]
            found += there
            if not there and not begin <= shot.take < begin + _APART:
                break
        return found

    async def _newest(self, plan: VideoPlan) -> tuple[VideoRecord | None, Claim | None]:
        """The last purchase of a take: a failed one may have been retried, also with another model."""
        record = await self._record(plan.id)
        if record is None:
            if plan.id not in self._in_flight:
                return None, None
            return None, (await self._ledger.facts_in_flight(plan.id)).claim
        while record.state != "archived":
            following = record.followed_by or record.plan.next_attempt().id
            if (later := await self._record(following)) is None:
                break
            record = later
        return record, None

    async def _record(self, video: str) -> VideoRecord | None:
        async with self._places:
            try:
                return await self._ledger.record(video)
            except StoreUnavailable:
                raise
            except ArchiveError as error:
                # Somebody has changed this one: the audit names it, and the others are shown.
                _log.warning("%s", error)
                return None


def _asked(plan: VideoPlan) -> VideoPlan:
    """The first attempt at a take."""
    request = plan.request
    if plan.asked_seed is not None:
        request = request.model_copy(update={"seed": plan.asked_seed})
    return plan.model_copy(update={"request": request, "attempt": 1, "asked_seed": None})
