"""A request that the API refuses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)
class Refusal(Exception):
    """HTTP status, message, field, code."""

    status: int
    message: str
    param: str | None = None
    code: str | None = None
