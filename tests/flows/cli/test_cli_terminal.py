"""The table at the end of a run, as wide as the terminal."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from flows.cli.terminal import Terminal
from together_video.records import VideoPlan
from together_video.requests import VideoRequest
from together_video.summary import Summary, VideoOutcome, VideoState


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_terminal_cuts_the_texts_alone(width: int) -> None:
    """Number, state and price are what people look for: they are whole, and no line of the table is folded."""
    request = VideoRequest(
        model="ByteDance/Seedance-1.0-lite", prompt="a fox in the snow, at dusk, with a lantern"
    )
    held = VideoOutcome.of_plan(VideoPlan(request=request), VideoState.AMBIGUOUS, error="No answer.")
    paid = held.model_copy(update={"cost_usd": Decimal("12.345"), "seconds": 100.5})
    terminal = Terminal()
    terminal.out = Console(file=io.StringIO(), width=width, highlight=False)
    terminal.table(Summary.of([paid] * 120))
    head, *rows = terminal.out.file.getvalue().splitlines()[:121]
    assert head.split() == ["prompt", "model", "state", "seconds", "USD"]
    for number, row in enumerate(rows, 1):
        assert row.split()[0] == str(number)
        assert row.split()[-3:] == ["ambiguous", "100.5", "12.345"]
        assert len(row) <= width
