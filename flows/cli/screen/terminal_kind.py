"""What a terminal is good for."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rich.console import Console

#: Fewer columns cannot hold a live display.
_NARROWEST = 60


def can_be_live(console: Console, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a display that moves is welcome here: a terminal of some width, not dumb, and no NO_COLOR."""
    return (
        console.is_terminal
        and not console.is_dumb_terminal
        and not environment.get("NO_COLOR")
        and console.width >= _NARROWEST
    )
