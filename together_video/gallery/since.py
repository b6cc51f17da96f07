"""What has become of a batch's videos since it ended: its own list is written once, and a page is made again later."""

from __future__ import annotations

from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import VideoRecord
from together_video.ledger.summary import GOOD, VideoOutcome, VideoState

_ENDED = {"archived": VideoState.ARCHIVED, "failed": VideoState.FAILED}


def now_of(then: VideoOutcome, record: VideoRecord, *, place: ArchivePlace) -> VideoOutcome:
    """The outcome that a batch has noted, or what its final record says by now: a job that was left at the provider,
    or whose create was in doubt, may have been collected.

    What the batch knew beside the record stays: labels, and what failed tries have cost.
    """
    state = _ENDED.get(record.state)
    if then.state in GOOD or state is None:
        return then
    found = VideoOutcome.of_record(record, state, place=place)
    kept = ("labels", "varies", "failed", "failed_usd", "failed_perhaps_usd", "paid_earlier")
    return found.model_copy(update={name: getattr(then, name) for name in kept})
