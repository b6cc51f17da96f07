"""A job as JSON, in either generation of the API's answers.

2025: the sample in the video guide (ISO times, `info`, `inputs`). 2026: `VideoJob` of the
OpenAPI document (unix seconds, `size`, `error`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.jobs import Job
from together_video.sandbox.rendering.clip import clip_of

#: How the older format writes "no time".
NO_TIME = "0001-01-01T00:00:00Z"

_DEFAULT_FAILURE = ("unsupportedParameter", "The parameter negative_prompt is not supported by this model")
_ALWAYS_IN_INPUTS = ("fps", "guidance_scale", "height", "model", "output_quality", "prompt", "seconds")


def job_json(
    job: Job,
    *,
    state: str,
    generation: Literal["2025", "2026"],
    url: str | None,
    finished_at: float | None,
    seconds: float,
    with_cost: bool = True,
) -> dict[str, Any]:
    """The answer of a create or a retrieve.

    Args:
        state: the status to report.
        url: link to the video, None until there is one.
        finished_at: unix seconds, None while the job runs.
        seconds: length of the clip.
    """
    outputs: dict[str, Any] | None = None
    if url is not None or state == "completed":
        outputs = {"cost": job.cost} if with_cost else {}
        if url is not None:
            outputs["video_url"] = url
    failed = job.fate is not None and job.fate.kind == "job_failed" and finished_at is not None
    code, message = _DEFAULT_FAILURE
    if job.fate is not None:
        code, message = job.fate.code or code, job.fate.message or message
    if generation == "2025":
        errors = _errors(job.fate.shape if job.fate else "list", code, message) if failed else None
        return _older(job, state, outputs, errors, finished_at)
    clip = clip_of(job.body, seconds=seconds)
    answer = {
        "id": job.id,
        "object": "video",
        "model": job.model,
        # The newer format has no status for waiting in the queue.
        "status": "in_progress" if state == "queued" else state,
        "created_at": int(job.created_at),
        "size": f"{clip.width}x{clip.height}",
        "seconds": f"{clip.seconds:g}",
    }
    if finished_at is not None:
        answer["completed_at"] = int(finished_at)
    if failed:
        answer["error"] = {"code": code, "message": message}
    if outputs is not None:
        answer["outputs"] = outputs
    return answer


def progress_json(job: Job, ahead: Iterable[Job], config: SandboxConfig, now: float) -> dict[str, Any]:
    """What a running job reports besides its status, by `tells` and `tells_factor`. `ahead` are the jobs before it."""
    told: dict[str, Any] = {}
    if "progress" in config.tells:
        made = max(0.0, now - job.started_at)
        whole = config.tells_factor * (job.due_at - job.started_at)
        told["progress"] = 100 if made >= whole else int(100 * made / whole)
    if "remaining" in config.tells:
        told["estimated_seconds_remaining"] = round(config.tells_factor * max(0.0, job.due_at - now), 1)
    if "queue" in config.tells and now < job.started_at:
        told["queue_position"] = 1 + sum(other.state(now) == "queued" for other in ahead)
    return told


def _errors(shape: str, code: str, message: str) -> object:
    if shape == "text":
        return message
    error = {"code": code, "message": message}
    return [error] if shape == "list" else error


def _older(
    job: Job, state: str, outputs: dict[str, Any] | None, errors: object, finished_at: float | None
) -> dict[str, Any]:
    return {
        "id": job.id,
        "model": job.model,
        "status": state,
        "info": {"user_id": "66f0bd504fb9511df3489b9a", "errors": errors},
        "inputs": _inputs(job.body),
        "outputs": outputs,
        "created_at": _iso(job.created_at),
        "claimed_at": NO_TIME,
        "done_at": NO_TIME if finished_at is None else _iso(finished_at),
    }


def _inputs(body: Mapping[str, Any]) -> dict[str, Any]:
    inputs: dict[str, Any] = dict.fromkeys((*_ALWAYS_IN_INPUTS, "seed", "steps", "width"))
    inputs |= {"metadata": {}, **body}
    seconds = inputs["seconds"]
    if isinstance(seconds, str):
        inputs["seconds"] = int(seconds) if seconds.isdecimal() else float(seconds)
    return inputs


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
