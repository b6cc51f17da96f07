"""A job as the API returns it, in either generation of its answers.

The live service has answered in both formats, and its documents contradict each other. So
decoding is tolerant: only `id` is required, and the raw JSON is kept.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from together_video.job_status import TERMINAL, JobStatus, status_of
from together_video.remedies import advice_for
from together_video.text import one_line

#: Deepest nesting of an answer that is kept; JSON libraries give up between 200 and 1,000.
_DEEPEST = 64

#: Most digits of a number that are kept; Python and JSON libraries read no more than 4,300.
_LONGEST_NUMBER = 4_000


#: Longest id of a job, escaped as in the address of a request: servers take lines of 8,000 bytes.
_LONGEST_ID = 2_000
#: Longest answer that is kept unchanged, in bytes of JSON; longest part of a longer one; longest texts of an answer.
_LONGEST_ANSWER, _LONGEST_PART = 64_000, 4_000
_LONGEST_WORD, _LONGEST_MESSAGE = 200, 4_000


class JobFault(BaseModel):
    """The provider's reason for a failed job."""

    model_config = ConfigDict(frozen=True)

    message: str
    code: str | None = None


class VideoJob(BaseModel):
    """One job at the provider, as last seen.

    Times are in UTC, `cost_usd` is in US dollars, `seconds` is the length of the clip. Everything but `id` can be
    unknown. `raw` is the answer as it came, except for what JSON cannot store (see `_storable`) and what is too long
    (see `bounded_answer`). `request_ids` identify the call, by header. `not_understood` are earlier answers about this
    job with an unknown status.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    status: JobStatus = JobStatus.UNKNOWN
    status_text: str | None = None
    model: str | None = None
    fault: JobFault | None = None
    cost_usd: Decimal | None = None
    video_url: str | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None
    seconds: float | None = None
    raw: dict[str, Any] = Field(default_factory=dict)
    request_ids: dict[str, str] = Field(default_factory=dict)
    not_understood: tuple[dict[str, Any], ...] = ()

    @classmethod
    def from_json(cls, answer: object, request_ids: Mapping[str, str] | None = None) -> VideoJob:
        """Decode an answer of `POST /v2/videos` or `GET /v2/videos/{id}`.

        Raises:
            ValueError: the answer is not a JSON object, or has no `id` that fits into a request. Nothing else raises.
        """
        if not isinstance(answer, Mapping):
            raise ValueError("the answer is not a JSON object")
        kept: dict[str, Any] = _storable(answer)
        job_id = _text(kept.get("id"))
        if job_id is None:
            raise ValueError("the answer has no job id")
        if job_id in {".", ".."} or len(quote(job_id, safe="")) > _LONGEST_ID:
            raise ValueError(
                f"its job id of {len(job_id)} characters does not fit into a request, so the job cannot be polled"
            )
        outputs = _mapping(kept.get("outputs"))
        status = status_of(kept.get("status"))
        return cls(
            id=job_id,
            status=status,
            status_text=_cut(_text(kept.get("status")), _LONGEST_WORD),
            model=_cut(_text(kept.get("model")), _LONGEST_WORD),
            fault=_fault(kept),
            cost_usd=_cost(outputs.get("cost")),
            video_url=_text(outputs.get("video_url")),
            created_at=_time(kept.get("created_at")),
            finished_at=_time(kept.get("done_at")) or _time(kept.get("completed_at")),
            seconds=_number(kept.get("seconds")),
            raw=bounded_answer(kept),
            request_ids=dict(request_ids or {}),
        )

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def fault_text(self) -> str:
        """The provider's reason in one line of at most 500 characters, or a sentence that says it gave none."""
        if self.fault is None:
            return f"the provider reports it as {self.status_text or self.status} and gives no reason"
        said = one_line(self.fault.message, 500) or "a reason that cannot be printed"
        return said + (f" ({one_line(self.fault.code, 60)})" if self.fault.code else "")

    @property
    def remedy(self) -> str | None:
        """What to do about the provider's reason, as a sentence; None if that is unknown."""
        return None if self.fault is None else advice_for(self.fault.code, self.fault.message)


def _storable(value: Any, depth: int = 0) -> Any:
    """The same JSON in a form that can be written, stored and read again, so that no job id is lost because of the rest
    of its answer. Lone surrogates become "?", NaN and Infinity become text. Values that are nested too deeply and
    numbers that are too long are replaced by a remark.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping | list):
        if depth >= _DEEPEST:
            return "(nested too deeply to be kept)"
        if isinstance(value, list):
            return [_storable(entry, depth + 1) for entry in value]
        return {_storable(str(name)): _storable(entry, depth + 1) for name, entry in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER * 3:
        return "(a number too long to be kept)"
    return value


def bounded_answer(answer: Mapping[str, Any], most: int = _LONGEST_ANSWER) -> dict[str, Any]:
    """An answer for the record: unchanged, or, if it is longer than `most` bytes, only its short parts, with the size
    and the SHA-256 of the whole.
    """
    whole = json.dumps(answer, sort_keys=True).encode()
    if len(whole) <= most:
        return dict(answer)
    kept: dict[str, Any] = {
        "not kept": f"an answer of {len(whole)} bytes; its long parts are left out",
        "sha256": hashlib.sha256(whole).hexdigest(),
    }
    room = most - _LONGEST_PART
    for name, value in answer.items():
        size = len(name) + len(json.dumps(value))
        if size <= min(_LONGEST_PART, room):
            kept.setdefault(name, value)
            room -= size
    return kept


def _cut(text: str | None, longest: int) -> str | None:
    return text if text is None or len(text) <= longest else f"{text[:longest]}…"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    return None if value is None else json.dumps(value, default=repr)


def _money(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(value) if isinstance(value, int) else Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        return None
    # An absurd exponent would print as gigabytes of digits.
    if not amount.is_finite() or abs(amount.adjusted()) > 15:
        return None
    # Nobody charges a millionth of a millionth, and millions of digits would end up in each record.
    return amount if len(amount.as_tuple().digits) <= 30 else round(amount, 12)


def _cost(value: object) -> Decimal | None:
    """A negative cost counts as unknown: it would raise a budget."""
    amount = _money(value)
    return amount if amount is not None and amount >= 0 else None


def _number(value: object) -> float | None:
    number = _money(value)
    return None if number is None else float(number)


def _time(value: object) -> datetime | None:
    """ISO text or Unix seconds. The service writes year 1 for "none"."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.year > 1 else None


def _fault(answer: Mapping[str, Any]) -> JobFault | None:
    """`error: {code, message}` in the new format, or `info.errors` in the old: list, dict or text."""
    for found in (answer.get("error"), _mapping(answer.get("info")).get("errors")):
        entries = found if isinstance(found, list) else [found]
        faults = [fault for entry in entries if (fault := _one_fault(entry))]
        if faults:
            words = "; ".join(fault.message for fault in faults)
            return JobFault(
                message=_cut(words, _LONGEST_MESSAGE) or "", code=_cut(faults[0].code, _LONGEST_WORD)
            )
    return None


def _one_fault(entry: object) -> JobFault | None:
    if isinstance(entry, Mapping):
        if not entry:
            return None
        code = _text(entry.get("code")) or _text(entry.get("type"))
        message = _text(entry.get("message")) or _text(dict(entry)) or ""
        return JobFault(message=message, code=code)
    text = _text(entry)
    return JobFault(message=text) if text and text.strip() else None
