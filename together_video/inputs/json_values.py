"""JSON text from elsewhere -> its value. What a lax reader would accept silently is refused."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from together_video.validation_messages import quoted


class UnreadableText(ValueError):
    """The text as a whole does not have its format, so there are no rows."""


def json_value(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        json.JSONDecodeError: it is not JSON.
        ValueError, RecursionError: a name is given twice, a number is NaN or too long, it is nested too deeply; see
            `why_not_json`.
    """
    return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)


def json_document(text: str) -> Any:
    """Like `json_value`, for a text that is one document.

    Raises:
        UnreadableText: the problem, as words that follow the text's name.
    """
    try:
        return json_value(text)
    except json.JSONDecodeError as error:
        raise UnreadableText(
            f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableText(f"is JSON that cannot be used: {why_not_json(error)}") from error


def why_not_json(error: Exception) -> str:
    """Why a text is JSON but cannot be used."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    # Python refuses integers of thousands of digits with a message about its own settings.
    return "a number has too many digits" if "integer string conversion" in str(error) else str(error)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise ValueError(f"{quoted(twice)} is given twice")
    return fields


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
