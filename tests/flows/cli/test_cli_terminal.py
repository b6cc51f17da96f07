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
    # A model that all have in common leaves its room to the prompts.
    model = ["model"] if width >= 100 else []
    assert head.split() == ["prompt", *model, "state", "seconds", "USD"]
    assert "a fox in the snow, at dusk" in rows[0] or width == 60
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
        "Not listed: 999 in the archive.",
        "1001 videos: 999 archived, 2 ambiguous; 0.00 USD paid in this run.",
    ]
    assert shown(*[done] * 31) == [
        "Not listed: 31 in the archive.",
        "31 videos: 31 archived; 0.00 USD paid in this run.",
    ]
    lines = shown(done, *[held] * 300)
    assert len(lines) == 1 + 30 + 30 + 2
    assert lines[-2] == "Not listed: 1 in the archive and 270 others."


def test_places_and_reasons_hang_under_their_number() -> None:
    """A path stays beside its number, whatever its length; of the video that was made again 8 digits are shown."""
    labels = {"campaign": "spring", "redo_of": "0123456789abcdef01234567"}
    request = VideoRequest(model="ByteDance/Seedance-1.0-lite", prompt="a fox", labels=labels)
    done = VideoOutcome.of_plan(VideoPlan(request=request), VideoState.ARCHIVED)
    uri = f"file:///videos/{'x' * 90}.mp4"
    held = VideoOutcome.of_plan(VideoPlan(request=request), VideoState.AMBIGUOUS, error="no answer " * 10)
    terminal = Terminal()
    terminal.out = Console(
        file=io.StringIO(), width=80, highlight=False, force_terminal=True, color_system=None
    )
    terminal.table(Summary.of([done.model_copy(update={"uri": uri}), held]))
    lines = terminal.out.file.getvalue().splitlines()
    first = lines.index(f"  1  {uri}")
    assert lines[first + 1 :][:4] == [
        "     (campaign=spring, redo_of=01234567)",
        f"  2  {'no answer ' * 7}no",
        "     answer no answer no answer   (campaign=spring, redo_of=01234567)",
        "",
    ]
