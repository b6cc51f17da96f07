"""What is sent to the provider's support: ids and times, and neither prompt nor secret."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from tests.facts import claim_of
from together_video.ledger.records import Ambiguity, Submission, VideoPlan, VideoRecord
from together_video.ledger.support import support_paragraph
from together_video.requests import VideoRequest

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
PLAN = VideoPlan(request=VideoRequest(model="minimax/hailuo-02", prompt="a secret campaign"))
CLAIM = claim_of(
    PLAN,
    claimed_at=NOON,
    key_id="key_7",
)
IDS = {"x-request-id": "req-1", "cf-ray": "8f-FRA"}
JOB = Submission(id=PLAN.id, token="0" * 32, job_id="job-1", submitted_at=NOON, sent_at=NOON, request_ids=IDS)
DOUBT = Ambiguity(
    id=PLAN.id, token="0" * 32, found_at=NOON, reason="HTTP 500.", sent_at=NOON, request_ids=IDS
)


def test_a_doubt() -> None:
    """It asks whether there is a job and a charge."""
    said = support_paragraph(CLAIM, None, DOUBT, None)
    assert said == (
        "This is about a create of a video that gave us no job id, model minimax/hailuo-02. "
        "POST /v2/videos was sent at 2026-11-26 12:00:00 UTC. "
        "Its answer had x-request-id: req-1, cf-ray: 8f-FRA. The API key has the id key_7. "
        "The create had no clear answer (HTTP 500). Was a job made, and was it charged?"
    )
    assert "campaign" not in said


def test_a_claim_that_was_left_behind() -> None:
    """Nobody knows when it was sent, if it was."""
    said = support_paragraph(CLAIM, None, None, None)
    assert "was sent at or after 2026-11-26 12:00:00 UTC" in said


def test_a_job_on_its_way_and_its_ends() -> None:
    """Accepted, completed with its cost, failed with its reason."""
    assert "The job was accepted at" in support_paragraph(CLAIM, JOB, None, None)
    done = VideoRecord.of(CLAIM, "archived", submission=JOB, cost_usd=Decimal("0.49"))
    assert support_paragraph(None, None, None, done).endswith("The job was completed, and cost 0.49 USD.")
    failed = VideoRecord.of(CLAIM, "failed", submission=JOB, error="moderated", error_code="c1")
    said = support_paragraph(None, None, None, failed)
    assert "video job job-1" in said
    assert said.endswith("The job failed (c1): moderated.")
