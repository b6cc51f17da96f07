"""The table at the end of a run, as wide as the terminal."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.requests import VideoRequest


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
    terminal.table(Summary.of([paid] * 30))
    head, *rows = terminal.out.file.getvalue().splitlines()[:31]
    assert head.split() == ["prompt", "model", "state", "seconds", "USD"]
    for number, row in enumerate(rows, 1):
        assert row.split()[0] == str(number)
        assert row.split()[-3:] == ["ambiguous", "100.5", "12.345"]
        assert len(row) <= width


def test_of_many_videos_those_to_be_looked_after_are_listed() -> None:
    """A thousand lines would hide the two that matter; where none is left over, there is no table."""
    request = VideoRequest(model="ByteDance/Seedance-1.0-lite", prompt="a fox")
    done = VideoOutcome.of_plan(VideoPlan(request=request), VideoState.ARCHIVED)
    held = VideoOutcome.of_plan(VideoPlan(request=request), VideoState.AMBIGUOUS, error="No answer.")

    def shown(*outcomes: VideoOutcome) -> list[str]:
        terminal = Terminal()
        terminal.out = Console(file=io.StringIO(), width=100, highlight=False)
        terminal.table(Summary.of(outcomes))
        return [line for line in terminal.out.file.getvalue().splitlines() if line]

    lines = shown(*[done] * 500, held, *[done] * 499, held)
    assert [line.split()[0] for line in lines[1:3]] == ["501", "1001"]
    assert lines[3:5] == ["501  No answer.", "1001  No answer."]
    assert lines[5:] == [
        "Not listed here: 999 that are in the archive.",
        "1001 videos: 999 archived, 2 ambiguous; 0.00 USD paid in this run.",
    ]
    assert shown(*[done] * 31) == [
        "Not listed here: 31 that are in the archive.",
        "31 videos: 31 archived; 0.00 USD paid in this run.",
    ]
    lines = shown(done, *[held] * 300)
    assert len(lines) == 1 + 30 + 30 + 2
    assert lines[-2] == "Not listed here: 1 that are in the archive and 270 others."
