"""The facts that the pages on the ledger and on ambiguous videos show are what the project itself writes, shortened."""

from __future__ import annotations

import json

from tests.docs.markdown import blocks, page
from together_video.ledger.records import Submission, VideoRecord


def test_a_job_and_a_record_can_be_read() -> None:
    """Those of docs/ledger.md."""
    job, record = (json.loads(text) for text in blocks(page("ledger"), "json"))
    assert Submission.model_validate(job).id == "81d504c9df5f609bcd88a141"
    read = VideoRecord.model_validate(record)
    assert (read.state, read.id) == ("archived", read.plan.id)


def test_the_job_to_write_by_hand_can_be_read() -> None:
    """That of docs/ambiguous.md."""
    (job,) = (json.loads(text) for text in blocks(page("ambiguous"), "json"))
    assert Submission.model_validate(job).id == "dc313648c1c46555d55c9a47"
