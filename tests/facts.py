"""Claims and records as tests need them: whatever a test does not ask for is filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from together_video.ledger.records import Claim, VideoPlan, VideoRecord

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def claim_of(plan: VideoPlan, **more: Any) -> Claim:
    """A claim of this plan, made at noon."""
    usual = {
        "token": "0" * 32,
        "claimed_at": NOON,
        "valid_seconds": 250,
        "video_key": "videos/v.mp4",
        "poster_key": "videos/v.jpg",
    }
    return Claim.model_validate({"id": plan.id, "plan": plan, **usual, **more})


def record_of(plan: VideoPlan, **more: Any) -> VideoRecord:
    """A record of this plan: archived at noon, unless it says otherwise."""
    usual = {"state": "archived", "recorded_at": NOON}
    return VideoRecord.model_validate({"id": plan.id, "plan": plan, **usual, **more})
