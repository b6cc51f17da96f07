"""The order in an event: its payload as one JSON text.

A server that fills in the parameters of a run would also expand templates in the sender's values. It leaves a JSON text
alone.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from together_video.errors import InputError
from together_video.prompts.briefs import Brief
from together_video.requests import VideoRequest
from together_video.validation_messages import validated

#: Longest payload that is read, in bytes.
LARGEST = 2_000_000


class EventOrder(BaseModel):
    """A brief or requests, and what can accompany them; other parts of a payload are ignored."""

    model_config = ConfigDict(frozen=True)

    brief: Brief | None = None
    requests: list[VideoRequest] | None = None
    settings: dict[str, JsonValue] | None = None
    edition: str | None = None
    budget_usd: Decimal | None = Field(default=None, gt=0)


def read_event(payload: str) -> EventOrder:
    """The payload of an event, from its JSON.

    Example:
        >>> read_event('{"requests": [{"prompt": "a fox"}]}').requests[0].prompt
        'a fox'

    Raises:
        InputError: it is not a JSON object, is too long, or a part of it cannot be used; says which.
    """
    return validated(EventOrder, payload_object(payload), "The event's payload")


def payload_object(payload: str) -> dict[str, Any]:
    """The fields of a payload.

    Raises:
        InputError: it is not a JSON object, or is too long.
    """
    if len(payload.encode("utf-8", "replace")) > LARGEST:
        raise InputError(f"The event's payload has more than {LARGEST // 10**6} MB.")
    try:
        value: Any = json.loads(payload)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InputError("The event's payload is not a JSON object.")
    return value
