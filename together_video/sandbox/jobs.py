"""The accepted jobs, when they will be ready, and what they cost.

Each accepted job is written to an append-only journal (JSON lines) before its answer is sent. So a sandbox that is
killed and started again with the same folder still knows what it sold.
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from together_video.errors import ConfigurationError
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.faults import FaultRule
from together_video.sandbox.model_rules import price_of

#: Fraction of a job's time that it spends in the queue.
_QUEUED_SHARE = 0.2


class Job(BaseModel):
    """One job as it was accepted. Times are unix seconds, cost is in USD; `fate` lasts."""

    model_config = ConfigDict(frozen=True)

    id: str
    body: dict[str, JsonValue]
    model: str
    prompt: str
    cost: float
    created_at: float
    started_at: float
    due_at: float
    request_sha256: str
    key_id: str = ""
    fate: FaultRule | None = None

    def state(self, now: float, *, rendered: bool = True) -> str:
        """The status at this moment: completed only once the file exists too."""
        kind = self.fate.kind if self.fate else None
        if now < self.started_at:
            return "queued"
        if now < self.due_at or kind == "stuck":
            return (self.fate and kind == "stuck" and self.fate.state) or "in_progress"
        if self.fate and kind == "job_failed":
            return self.fate.state or "failed"
        return "completed" if rendered else "in_progress"

    @property
    def never_completes(self) -> bool:
        return self.fate is not None and self.fate.kind in ("stuck", "job_failed")


def request_sha256(body: Mapping[str, Any]) -> str:
    """SHA-256 of the body with sorted keys and no spaces: equal requests, equal digests."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class JobStore:
    """All accepted jobs, in order.

    Raises:
        ConfigurationError: the journal's folder cannot be used, or the journal is not one.
    """

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._jobs: dict[str, Job] = {}
        self._journal: Path | None = None
        if config.state_dir is not None:
            self._journal = config.state_dir / "jobs.jsonl"
            try:
                config.state_dir.mkdir(parents=True, exist_ok=True)
                self._read_journal(self._journal)
            except OSError as ex:
                raise ConfigurationError(f"The sandbox cannot use the folder of its journal: {ex}.") from ex

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def accept(self, body: dict[str, Any], *, now: float, fate: FaultRule | None, key_id: str = "") -> Job:
        """Accept a checked request. From now on it is billed.

        Raises:
            OSError: the journal cannot be written. Then nothing was accepted.
        """
        low, high = self._config.generation_range
        # By the job's number, so that a restart does not repeat the same sequence.
        draw = random.Random(f"{self._config.seed}/{len(self._jobs)}")  # noqa: S311
        takes = low + (high - low) * draw.random()
        job = Job(
            id=str(uuid.uuid4()),
            body=body,
            model=body["model"],
            prompt=body.get("prompt") or "",
            cost=price_of(body, self._config),
            created_at=now,
            started_at=now + takes * _QUEUED_SHARE,
            due_at=now + takes,
            request_sha256=request_sha256(body),
            key_id=key_id,
            fate=fate,
        )
        if self._journal is not None:
            # Unbuffered and in one write: a killed process leaves at most a torn last line.
            with self._journal.open("ab", buffering=0) as journal:
                journal.write(job.model_dump_json(ensure_ascii=True).encode() + b"\n")
        self._jobs[job.id] = job
        return job

    def fail(self, job: Job, *, code: str, message: str) -> None:
        """Mark a job as one that will fail. This is not in the journal: it is discovered again after a restart."""
        fate = FaultRule(on="create", kind="job_failed", code=code, message=message)
        self._jobs[job.id] = job.model_copy(update={"fate": fate})

    def bill(self, now: float) -> dict[str, Any]:
        """What was sold: a row per job, the sum in USD, and how many repeat an earlier request."""
        jobs = list(self._jobs.values())
        rows = [
            {
                "id": job.id,
                "prompt": job.prompt,
                "model": job.model,
                "cost": job.cost,
                "created_at": job.created_at,
                "request_sha256": job.request_sha256,
                "status": job.state(now),
            }
            for job in jobs
        ]
        return {
            "jobs": rows,
            "total": round(sum(job.cost for job in jobs), 6),
            "duplicates": len(jobs) - len({job.request_sha256 for job in jobs}),
        }

    def _read_journal(self, path: Path) -> None:
        if not path.exists():
            return
        written = path.read_bytes()
        whole, newline, torn = written.rpartition(b"\n")
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                job = Job.model_validate_json(line)
            except ValidationError as ex:
                raise ConfigurationError(f"Line {number} of the journal {path} is not a job.") from ex
            self._jobs[job.id] = job
        if torn:
            # Killed while writing: that answer was never sent, so the job does not exist.
            with path.open("r+b") as journal:
                journal.truncate(len(whole) + len(newline))
