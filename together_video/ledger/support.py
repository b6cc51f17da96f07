"""The text for the provider's support about one video: what it needs to find the call and the job."""

from __future__ import annotations

from datetime import datetime

from together_video.ledger.records import Ambiguity, Claim, Submission, VideoRecord
from together_video.money import usd
from together_video.text import as_sentence, one_line


def support_paragraph(
    claim: Claim | None,
    submission: Submission | None,
    ambiguity: Ambiguity | None,
    record: VideoRecord | None,
) -> str:
    """A paragraph that you can send unchanged. It contains neither the prompt nor a secret.

    Args:
        claim, submission, ambiguity, record: the existing facts; at least a claim or a record.
    """
    known = record or claim
    assert known is not None  # noqa: S101 - a video without either is not in the archive
    job_id = (record.job_id if record else None) or (submission.job_id if submission else None)
    fact = record or submission or ambiguity
    sent_at = fact.sent_at if fact is not None else None
    ids = fact.request_ids if fact is not None else {}
    about = f"video job {one_line(job_id, 200)}" if job_id else "a create of a video that gave us no job id"
    words = [f"This is about {about}, model {one_line(known.plan.request.model, 100)}."]
    if sent_at is not None:
        words.append(f"POST /v2/videos was sent at {utc_time(sent_at)}.")
    elif known.claimed_at is not None:
        words.append(f"POST /v2/videos was sent at or after {utc_time(known.claimed_at)}.")
    if ids:
        listed = ", ".join(f"{one_line(name, 40)}: {one_line(text, 200)}" for name, text in ids.items())
        words.append(f"Its answer had {listed}.")
    if known.key_id is not None:
        words.append(f"The API key has the id {one_line(known.key_id, 200)}.")
    words.append(_ending(submission, ambiguity, record))
    return " ".join(words)


def _ending(submission: Submission | None, ambiguity: Ambiguity | None, record: VideoRecord | None) -> str:
    if record is not None and record.state == "failed":
        code = f" ({one_line(record.error_code, 80)})" if record.error_code else ""
        return as_sentence(f"The job failed{code}: {one_line(record.error or 'no reason was given', 500)}")
    if record is not None and record.state == "archived":
        cost = "" if record.cost_usd is None else f", and cost {usd(record.cost_usd)}"
        return f"The job was completed{cost}."
    if submission is not None:
        return f"The job was accepted at {utc_time(submission.submitted_at)} and is not done yet."
    reason = record.error if record is not None else ambiguity.reason if ambiguity is not None else None
    said = f" ({one_line(reason, 500).rstrip('.')})" if reason else ""
    return f"The create had no clear answer{said}. Was a job made, and was it charged?"


def utc_time(moment: datetime) -> str:
    """`2026-11-26 12:00:00 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
