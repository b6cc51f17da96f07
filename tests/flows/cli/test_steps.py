"""Steps of a command that take a while: what a pipe and a terminal get to see."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from prefect_together_video.flows.cli.screen.steps import SILENT, ShownSteps


@pytest.fixture
def clock() -> Callable[..., float]:
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    return Clock()


def test_a_pipe_gets_few_lines(clock: Callable[..., float]) -> None:
    """One at the beginning of each step, at once, and some of hundreds on the way: no more than one in 2 seconds."""
    out = io.StringIO()
    with ShownSteps(Console(file=out, width=80), clock=clock).shown() as steps:
        steps.begin("Reading the archive")
        assert out.getvalue() == "0:00  Reading the archive …\n"
        clock.now = 1  # type: ignore[attr-defined]
        steps.begin("Writing spring.zip", 400)
        for _ in range(400):
            clock.now += 0.05  # type: ignore[attr-defined]
            steps.advance()
    lines = out.getvalue().splitlines()
    assert lines[1] == "0:01  Writing spring.zip …"
    assert lines[-1] == "0:21  Writing spring.zip: 400 of 400 files"
    assert 5 < len(lines) <= 14


def test_a_terminal_gets_a_bar_that_is_taken_away(
    clock: Callable[..., float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True)
    with ShownSteps(console, clock=clock).shown() as steps:
        steps.begin("Drawing \x1b[31mred\x1b[0m.jpg", 3, "poster")
        steps.advance()
        console.print("a warning")
    shown = out.getvalue()
    assert "1 of 3 posters" in shown
    assert "\\x1b[31mred" in shown
    assert "\x1b[31mred" not in shown
    # The cursor is back, and nothing of the area stays below the line.
    assert shown.endswith("\x1b[2K")
    assert "\x1b[?25h" in shown


def test_programs_get_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    SILENT.begin("Writing", 3)
    SILENT.advance()
    assert capsys.readouterr() == ("", "")
