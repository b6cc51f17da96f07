"""JSON text of others -> its value; what a lax reader would take silently is refused."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from together_video.validation_messages import quoted


class UnreadableText(ValueError):
    """The text as a whole is not in its format, so that there are no rows to speak of."""


def json_value(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        json.JSONDecodeError: it is not JSON.
        ValueError, RecursionError: a name is given twice, a number is NaN or too long, it is nested too deeply; see
            `why_not_json`.
    """
    return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)


def json_document(text: str) -> Any:
    """As `json_value`, for a text that is one document.

    Raises:
        UnreadableText: what is wrong with it, as words behind its name.
    """
    try:
        return json_value(text)
    except json.JSONDecodeError as error:
        raise UnreadableText(
            f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableText(f"is not JSON that can be used: {why_not_json(error)}") from error


def why_not_json(error: Exception) -> str:
    """What is wrong with a text that is JSON and cannot be used."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    # The interpreter refuses integers of thousands of digits, in words that are about itself.
    return "a number has too many digits" if "integer string conversion" in str(error) else str(error)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise ValueError(f"{quoted(twice)} is given twice")
    return fields


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
