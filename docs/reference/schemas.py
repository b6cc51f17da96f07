"""JSON schemas of what the commands print with `--json` and of what is in the bucket, made from the models."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from together_video.ledger.audit import AuditReport
from together_video.ledger.records import Ambiguity, Claim, Submission, VideoRecord
from together_video.ledger.summary import VideoOutcome, VideoState
from together_video.prompts import PromptSet

_AMOUNT = {"type": "number"}


def schemas() -> dict[str, dict[str, Any]]:
    """Each document's name with its schema."""
    return {
        "summary": summary_document(),
        "audit": audit_document(),
        "spend": spend_document(),
        "batch": batch_document(),
        "record": stored(VideoRecord),
        "claim": stored(Claim),
        "job": stored(Submission),
        "ambiguous": stored(Ambiguity),
        "brief": stored(PromptSet),
    }


def stored(model: type[BaseModel]) -> dict[str, Any]:
    """A document that is a model without changes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(mode="serialization"),
    }


def summary_document() -> dict[str, Any]:
    """`Summary.as_json`, with amounts as numbers."""
    row = VideoOutcome.model_json_schema(mode="serialization")
    definitions = row.pop("$defs", {})
    for name in ("cost_usd", "estimate_usd"):
        row["properties"][name] = {**row["properties"][name], "anyOf": [_AMOUNT, {"type": "null"}]}
    for name in ("failed_usd", "failed_perhaps_usd"):
        row["properties"][name] = {"description": row["properties"][name]["description"], **_AMOUNT}
    amounts = ("cost_usd", "perhaps_paid_usd", "in_flight_usd")
    counts = {
        "type": "object",
        "properties": {state.value: {"type": "integer"} for state in VideoState},
        "required": [state.value for state in VideoState],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Summary",
        "type": "object",
        "properties": {
            "videos": {"type": "array", "items": {"$ref": "#/$defs/VideoOutcome"}},
            "counts": counts,
            **dict.fromkeys(amounts, _AMOUNT),
        },
        "required": ["videos", "counts", *amounts],
        "$defs": {**definitions, "VideoOutcome": row},
    }


def batch_document() -> dict[str, Any]:
    """The summary of a batch, with its name."""
    document = summary_document()
    own = {
        "batch_id": {"type": "string"},
        "title": {"type": "string"},
        "made_at": {"type": "string", "format": "date-time"},
    }
    return {
        **document,
        "title": "Batch",
        "properties": {**own, **document["properties"]},
        "required": [*own, *document["required"]],
    }


def audit_document() -> dict[str, Any]:
    """`AuditReport.as_json`, also with amounts as numbers."""
    document = stored(AuditReport)
    document["$defs"]["SpentRow"]["properties"]["cost_usd"] = _AMOUNT
    return document


def spend_document() -> dict[str, Any]:
    """`SpendReport.as_json`, with amounts as numbers, and the month's numbers beside its name."""
    amount, perhaps = _AMOUNT, {"anyOf": [_AMOUNT, {"type": "null"}]}
    numbers: dict[str, Any] = {
        name: {"type": "integer"} for name in ("videos", "clips", "failed", "unpriced")
    }
    numbers |= dict.fromkeys(("paid_usd", "perhaps_paid_usd", "in_flight_usd"), amount)
    numbers["usd_per_clip"] = perhaps
    row = _object({"key": {"type": "string"}, **numbers})
    month = _object({"month": {"type": "string"}, **numbers, "limit_usd": perhaps, "left_usd": perhaps})
    day = {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "SpendReport",
        **_object(
            {
                "location": {"type": "string"},
                "by": {"type": "string"},
                "since": day,
                "until": day,
                "rows": {"type": "array", "items": row},
                "total": _object(numbers),
                "month": month,
                "unreadable": {"type": "array", "items": {"type": "string"}},
                "more_unreadable": {"type": "integer"},
            }
        ),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}
