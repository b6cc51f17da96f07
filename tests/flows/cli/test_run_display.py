"""What is shown during a run: in a pipe, and on a terminal that moves."""

from __future__ import annotations

import io
import itertools
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from prefect_together_video.flows.cli.screen.folding import fold
from prefect_together_video.flows.cli.screen.last_lines import LastLine, last_lines
from prefect_together_video.flows.cli.screen.live import LiveDisplay
from prefect_together_video.flows.cli.screen.run_display import MOST_PROBLEMS, RunDisplay
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.screen.terminal_kind import can_be_live
from prefect_together_video.flows.cli.servers.env_file import env_script, write_env_file
from prefect_together_video.flows.reporting.happenings import Phase, Planned
from prefect_together_video.flows.reporting.progress import Progress
from together_video.ledger.account import Account
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary, VideoOutcome, VideoState

Make = Callable[..., Any]


def run(display: RunDisplay, plans: list[VideoPlan], failed: int = 0) -> None:
    """A run of all of them, of which the first ones fail."""
    display.watch(Phase("Checking the API"))
    display.watch(Planned(len(plans)))
    for plan in plans:
        display.hear(Progress(plan, "created", total=len(plans)))
    for number, plan in enumerate(plans, 1):
        stage = "failed" if number <= failed else "archived"
        paid = Account(paid=Decimal("0.28"))
        display.hear(Progress(plan, stage, "why", done=number, total=len(plans), account=paid))


@pytest.fixture
def plans(small: Make) -> list[VideoPlan]:
    return [VideoPlan(request=small(f"clip {number}")) for number in range(200)]


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    def make(plans: list[VideoPlan], *, failed: int = 0, verbose: bool = False) -> list[str]:
        out = io.StringIO()
        # A look at the clock takes 80 ms.
        clock = itertools.count(0, 0.08).__next__
        display = RunDisplay(Console(file=out, highlight=False, width=80), verbose=verbose, clock=clock)
        with display.shown():
            run(display, plans, failed)
        return out.getvalue().splitlines()

    return make


def test_200_clips_are_tens_of_lines_in_a_pipe(piped: Make, plans: list[VideoPlan]) -> None:
    """A line for each change only with -v."""
    lines = piped(plans)
    assert lines[0] == "0:00  Checking the API …"
    assert lines[1] == "0:00  0 of 200 videos: 200 waiting; 0.00 USD paid"
    assert re.fullmatch(r"1:\d\d  200 of 200 videos: 200 archived; 56.00 USD paid", lines[-1])
    assert 20 < len(lines) < 30
    assert len([line for line in piped(plans, verbose=True) if "archived   clip" in line]) == 200


def test_problems_are_lines_up_to_a_bound(piped: Make, plans: list[VideoPlan]) -> None:
    lines = piped(plans, failed=100)
    assert len([line for line in lines if line.startswith("failed     clip")]) == MOST_PROBLEMS
    assert lines[-1] == "… and 80 more that failed, were refused or are ambiguous."
    assert len(lines) < 60


@pytest.mark.parametrize("verbose", [False, True])
def test_retries_are_counted_and_lines_only_with_v(verbose: bool, plans: list[VideoPlan]) -> None:
    out = io.StringIO()
    terminal = Terminal(verbose=verbose, clock=lambda: 0.0)
    terminal.err = Console(file=out, highlight=False, width=80)
    with terminal.showing():
        terminal.happening(Planned(1))
        for _ in range(3):
            terminal.retry("a fox: POST /v2 was answered with HTTP 503: busy. Trying again in 2 s.", "busy")
        terminal.progress(Progress(plans[0], "archived", done=1, total=1))
    lines = out.getvalue().splitlines()
    assert lines[-1] == "0:00  1 of 1 video: 1 archived; 0.00 USD paid; 3 retries, the last one: busy"
    assert len([line for line in lines if "Trying again" in line]) == (3 if verbose else 0)


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_live_area_ends_clean(plans: list[VideoPlan], monkeypatch: pytest.MonkeyPatch, small: Make) -> None:
    """Log lines, warnings and problems scroll above it; then it is gone, and streams and cursor are as they were."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    handler = logging.StreamHandler(screen)
    logger = logging.getLogger("of.somebody.else")
    logger.addHandler(handler)
    display = RunDisplay(Console(stderr=True, highlight=False, width=80, force_terminal=True))
    try:
        with display.shown():
            assert sys.stderr is not screen
            assert handler.stream is sys.stderr
            run(display, plans[:4], failed=1)
            logger.warning("a line of a logger")
            sys.stderr.write("as warnings are written\n")
            with display.paused():
                assert sys.stderr is screen
    finally:
        logger.removeHandler(handler)
    assert sys.stderr is screen
    assert handler.stream is screen
    shown = screen.getvalue()
    assert "a line of a logger" in shown
    assert "as warnings are written" in shown
    assert "elapsed\x1b[0m" not in shown
    assert "failed     clip 0: 0.28 USD paid: why" in shown
    assert "4 of 4 videos" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    # As many lines are taken back as were drawn last.
    assert re.search(r"(\x1b\[1A\x1b\[2K){4,6}$", shown.rpartition("\x1b[?25h")[2]), shown[-200:]


def test_a_narrower_terminal_keeps_nothing_of_the_live_area(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has folded the lines that were drawn, so more of them are taken back."""
    monkeypatch.setenv("TERM", "xterm-256color")
    screen = Screen()
    console = Console(file=screen, width=100, height=30, force_terminal=True)
    live = LiveDisplay(console, lambda width: ["short", ("wide " * 30)[:width]])
    live.start()
    try:
        live._live.auto_refresh = False
        drawn = {}
        for columns in (100, 70, 70, 30):
            console.width = columns
            with live._live._lock:
                before = len(screen.getvalue())
                live._live.refresh()
                drawn.setdefault(columns, []).append(screen.getvalue()[before:].count("\x1b[1A"))
    finally:
        live.stop()
    # Of 79 columns two lines are left in a terminal of 70, of 67 three in one of 30; the first line is one.
    assert drawn == {100: [1], 70: [2, 1], 30: [3]}


@pytest.mark.parametrize("is_terminal", [True, False])
def test_what_a_terminal_writes_at_ctrl_c_is_taken_away(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    terminal.err = Console(file=io.StringIO(), width=80, force_terminal=is_terminal)
    terminal.clear_line()
    assert terminal.err.file.getvalue() == ("\r\x1b[K" if is_terminal else "")


@pytest.mark.parametrize(
    ("width", "term", "environment", "is_live"),
    [
        (80, "xterm", {}, True),
        (40, "xterm", {}, False),
        (80, "dumb", {}, False),
        (80, "xterm", {"NO_COLOR": "1"}, False),
    ],
)
def test_where_it_may_move(
    width: int, term: str, environment: dict[str, str], is_live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    console = Console(file=Screen(), width=width, force_terminal=True)
    assert can_be_live(console, environment) is is_live
    assert not can_be_live(Console(file=io.StringIO(), width=80), {})


def test_lines_are_folded_between_words_and_addresses_stay_whole() -> None:
    address = f"https://example.com/{'a-b/' * 20}"
    assert fold(f"It is at {address} now.", 40) == ["It is at", address, "now."]


def test_the_last_lines_of_a_batch_and_of_a_video(small: Make) -> None:
    """Links are what can be clicked; an address in a bucket comes with the command that opens it."""
    done = VideoOutcome.of_plan(VideoPlan(request=small("a fox")), VideoState.ARCHIVED)
    done = done.model_copy(update={"uri": "s3://b/videos/fox.mp4"})
    key = "batches/20261127T200000-abcdef/index.html"
    batch = Summary.of([done]).model_copy(update={"page": key, "page_uri": f"s3://b/{key}"})
    run_url = "http://127.0.0.1:4200/runs/flow-run/1"
    assert last_lines(batch, run_url) == [
        LastLine("Gallery", f"s3://b/{key}"),
        LastLine("To view it", "together-video gallery 20261127T200000-abcdef"),
        LastLine("To list it", "together-video list --batch 20261127T200000-abcdef"),
        LastLine("Run", run_url, run_url),
    ]
    opened, how = last_lines(Summary.of([done]))
    assert (opened, done.id in how.text) == (LastLine("Video", "s3://b/videos/fox.mp4"), True)
    played = done.model_copy(update={"file": "/tmp/a fox.mp4"})
    assert last_lines(Summary.of([played])) == [LastLine("Play", "/tmp/a fox.mp4", "file:///tmp/a%20fox.mp4")]
    assert last_lines(Summary.of([])) == []


@pytest.mark.parametrize("knows_links", [True, False])
def test_a_link_can_be_clicked_where_the_terminal_knows_links(knows_links: bool) -> None:
    terminal = Terminal()
    color = "truecolor" if knows_links else None
    terminal.out = Console(file=io.StringIO(), width=80, force_terminal=knows_links, color_system=color)
    terminal.link("Run", "http://host/1", "http://host/1")
    said = terminal.out.file.getvalue()
    assert ("\x1b]8;" in said) is knows_links
    assert re.sub(r"\x1b\]8;[^\x1b]*\x1b\\", "", said) == "Run: http://host/1\n"


def test_a_sourced_file_sets_what_it_says_while_its_process_lives(tmp_path: Path) -> None:
    """Whatever the values hold. Afterwards it sets nothing, and says so."""
    values = {"NAME": 'it\'s $HOME `id` "x"\n; exit 1', "OTHER": ""}
    file = tmp_path / "env.sh"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    code = '. "$1"; printf "%s|%s|%s" "${NAME-none}" "${OTHER-none}" "${OLD-none}"'
    seen = []
    for pid in (os.getpid(), ended.pid):
        write_env_file(file, env_script(values, ["OLD", "not a name; exit"], pid=pid))
        done = subprocess.run(
            ["bash", "-c", code, "bash", str(file)],
            env={"OLD": "old"},
            capture_output=True,
            text=True,
            check=False,
        )
        seen.append((done.stdout, "These servers are stopped" in done.stderr))
    assert seen == [(f"{values['NAME']}||none", False), ("none|none|old", True)]
    assert file.stat().st_mode & 0o777 == 0o600
