"""What happened to a batch's videos after it ended: its list is written once, but a page can be made again later."""

from __future__ import annotations

from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import VideoRecord
from together_video.ledger.summary import GOOD, VideoOutcome, VideoState

_ENDED = {"archived": VideoState.ARCHIVED, "failed": VideoState.FAILED}


def now_of(then: VideoOutcome, record: VideoRecord, *, place: ArchivePlace) -> VideoOutcome:
    """The outcome that the batch noted, or what the final record says now: a job that was left at the provider, or an
    ambiguous create, may have been collected since.

    What only the batch knows stays: labels, and the cost of failed attempts.
    """
    state = _ENDED.get(record.state)
    if then.state in GOOD or state is None:
        return then
    found = VideoOutcome.of_record(record, state, place=place)
    kept = ("labels", "varies", "failed", "failed_usd", "failed_perhaps_usd", "paid_earlier")
    return found.model_copy(update={name: getattr(then, name) for name in kept})
