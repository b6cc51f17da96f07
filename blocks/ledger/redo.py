"""The redo list of a review: for each rejected clip, the next take that is not bought yet, or that is already its redo.

So the same review gives the same purchases, however often it runs. A take that was bought for this clip has the clip's
id as a label and is found again; a take that was bought for something else is skipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from prefect_together_video.blocks.ledger.ledger import Facts, Ledger
from together_video.errors import InputError
from together_video.ledger.records import VideoRecord
from together_video.ledger.redo import Redo, answers, redo_id, redo_of, rejected
from together_video.ledger.reviews import Mark

#: How many facts are read at the same time.
_AT_ONCE = 16
#: How many takes are checked for one clip.
_MOST_TAKES = 1_000


@dataclass(frozen=True)
class RedoList:
    """The purchases to make, and the rejected clips that the archive has no record of."""

    redos: list[Redo]
    unknown: list[str]


async def redo_list(
    ledger: Ledger, marks: Iterable[Mark], *, edition: str = "once", new_seed: bool = False
) -> RedoList:
    """What to buy for the rejected clips among these marks.

    Args:
        edition: the edition of the run that will buy them.
        new_seed: give another seed to requests that have one.

    Raises:
        InputError: a clip already has a thousand takes.
        ArchiveError: the archive cannot be read.
    """
    places = asyncio.Semaphore(_AT_ONCE)

    async def record(mark: Mark) -> VideoRecord | None:
        async with places:
            return await ledger.record(mark.id)

    async def facts(video: str) -> Facts:
        async with places:
            return await ledger.facts(video)

    asked = rejected(marks)
    records = await asyncio.gather(*map(record, asked))
    clips = [(found, mark) for found, mark in zip(records, asked, strict=True) if found is not None]
    # In the order of their takes: for one request, the first take gets the first free number.
    clips.sort(key=lambda clip: (clip[0].plan.take, clip[1].id))

    def redo(clip: tuple[VideoRecord, Mark], take: int) -> Redo:
        found, mark = clip
        return redo_of(found.plan, mark.id, mark.note, take, new_seed=new_seed)

    firsts = [redo_id(redo(clip, clip[0].plan.take + 1), edition) for clip in clips]
    known = dict(zip(firsts, await asyncio.gather(*map(facts, firsts)), strict=True))
    chosen: dict[str, Redo] = {}
    for clip in clips:
        first = clip[0].plan.take + 1
        for take in range(first, first + _MOST_TAKES):
            one = redo(clip, take)
            video = redo_id(one, edition)
            if video not in known:
                known[video] = await facts(video)
            if video not in chosen and _is_free(known[video], one.clip):
                chosen[video] = one
                break
        else:
            raise InputError(f"{clip[1].id} has had {_MOST_TAKES} takes: change its prompt instead.")
    unknown = [mark.id for found, mark in zip(records, asked, strict=True) if found is None]
    return RedoList(list(chosen.values()), unknown)


def _is_free(found: Facts, clip: str) -> bool:
    fact = found.record or found.claim
    # A job without its claim may be exactly this redo: the run waits for it, and buys nothing.
    return fact is None or answers(fact.plan, clip)
