"""What a terminal can show."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rich.console import Console

#: Fewest columns for a live display.
_NARROWEST = 60


def can_be_live(console: Console, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to use a live display: on a terminal that is wide enough and not dumb, and without NO_COLOR."""
    return (
        console.is_terminal
        and not console.is_dumb_terminal
        and not environment.get("NO_COLOR")
        and console.width >= _NARROWEST
    )
