"""A request as a page shows it: without files inside of it and without signed addresses."""

from __future__ import annotations

import re
from typing import Any

#: Longer texts of a request are cut, in characters.
_VALUE_SHOWN = 2_000


def shown(value: Any) -> Any:
    """JSON without what a page should not carry: embedded files, signed query strings."""
    if isinstance(value, dict):
        return {name: shown(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, str) and value.startswith("data:"):
        return f"{value[:40].partition(',')[0]},… ({len(value):,} characters)"
    if isinstance(value, str) and len(value) > _VALUE_SHOWN:
        return f"{value[:_VALUE_SHOWN]}… ({len(value):,} characters)"
    if isinstance(value, str) and re.match(r"https?://[^\s?]+\?", value):
        return value.partition("?")[0] + "?…"
    return value
