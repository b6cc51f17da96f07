"""The output of a run on a terminal: progress while it runs, and a table at the end.

Progress goes to stderr and the result to stdout, so that `--json` gives one clean document. Text
that other people wrote (prompts, error messages) is escaped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.style import Style
from rich.table import Table
from rich.text import Text

from prefect_together_video.flows.cli.screen import first_line
from prefect_together_video.flows.cli.screen.folding import fold
from prefect_together_video.flows.cli.screen.json_output import json_text
from prefect_together_video.flows.cli.screen.last_lines import last_lines
from prefect_together_video.flows.cli.screen.terminal_kind import can_be_live
from together_video.ledger.forecast import Forecast
from together_video.ledger.redo import REDO_OF
from together_video.ledger.summary import GOOD, Summary, VideoOutcome, VideoState
from together_video.money import usd_cells
from together_video.text import printable, printable_lines

if TYPE_CHECKING:
    from prefect_together_video.flows.cli.screen.run_display import RunDisplay
    from prefect_together_video.flows.cli.screen.steps import Steps
    from prefect_together_video.flows.reporting.happenings import Happening
    from prefect_together_video.flows.reporting.progress import Progress

_COLOURS = {
    "archived": "green",
    "reused": "green",
    "failed": "red",
    "refused": "red",
    "ambiguous": "yellow",
    "submitted": "yellow",
    "skipped": "yellow",
}
#: Characters of a table row besides prompt and model.
_BESIDE_THE_TEXTS = 38
#: With more videos than this, a table lists only those that are not in the archive, up to this many.
_LISTED = 30
#: Most notes about odd files that are shown.
_NOTED = 10
#: Below this width, in characters, a model that all videos share is left out to make room for prompts.
_ROOMY = 100
#: Most characters of a prompt beside a model, and of the id of another video.
_LONGEST_TITLE, _SHORT_ID = 60, 8
#: From this width, in characters, locations fit into the table.
_WIDE_ENOUGH = 180


class Terminal:
    """One run's output. `quiet` leaves out progress, for `--json`, which programs read. `verbose` adds a line for each
    change of a video.
    """

    def __init__(
        self, *, quiet: bool = False, verbose: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        first_line.clear()
        self.out = Console(highlight=False, emoji=False)
        if not self.out.is_terminal:
            # A file or a pipe has no width: fold nothing.
            self.out = Console(highlight=False, emoji=False, width=_WIDE_ENOUGH - 1)
        self.err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
        #: The page of the run in Prefect's UI, if a server recorded it.
        self.run_url: str | None = None
        self._quiet = quiet
        self._verbose = verbose
        self._clock = clock
        self._display: RunDisplay | None = None

    def say(self, text: str) -> None:
        """Print a line for people on stderr."""
        if not self._quiet:
            self._print(self.err, printable_lines(text))

    @contextmanager
    def waiting(self, text: str, *, in_pipe: bool = True) -> Iterator[None]:
        """Show what the command waits for: on a terminal until it is over, in a pipe as one line if `in_pipe`."""
        if self._quiet:
            yield
        elif can_be_live(self.err):
            with self.err.status(text):
                yield
        else:
            if in_pipe:
                self.say(text)
            yield

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show the progress of a run until it ends, from calls of `progress` and `happening`."""
        if self._quiet:
            yield
            return
        from prefect_together_video.flows.cli.screen.run_display import RunDisplay

        self._display = RunDisplay(self.err, verbose=self._verbose, clock=self._clock)
        try:
            with self._display.shown():
                yield
        finally:
            self._display = None

    @contextmanager
    def steps(self) -> Iterator[Steps]:
        """Show the steps of a command that makes no videos."""
        from prefect_together_video.flows.cli.screen.steps import SILENT, ShownSteps

        if self._quiet:
            yield SILENT
            return
        with ShownSteps(self.err, clock=self._clock).shown() as steps:
            yield steps

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the display while the user is asked."""
        with self._display.paused() if self._display else nullcontext():
            yield

    def note(self, text: str) -> None:
        """Print a line that may matter on stderr. Its text can come from others."""
        if not self._quiet:
            self._print(self.err, printable_lines(text), "yellow")

    def retry(self, text: str, error: str) -> None:
        """A failed step is retried. Count it in a run's display, and print a line with -v."""
        if self._display is not None:
            self._display.count_retry(error)
        if self._verbose or self._display is None:
            self.note(text)

    def clear_line(self) -> None:
        """Remove the `^C` that a terminal writes at Ctrl-C: text after it would be folded wrongly."""
        if self.err.is_terminal and not self.err.is_dumb_terminal:
            self.err.file.write("\r\x1b[K")

    def complain(self, text: str) -> None:
        """Print an error on stderr, also with `--json`."""
        self._print(self.err, printable_lines(text), "red")

    @staticmethod
    def _print(console: Console, text: str, style: str = "") -> None:
        """Print sentences. On a terminal, fold them between words but keep addresses whole; in a pipe, do not fold."""
        lines = text.splitlines()
        if console.is_terminal:
            lines = [folded for line in lines for folded in fold(line, console.width)]
        # Not with print's own style, which would also apply to a live display.
        console.print(Text("\n".join(lines), style), soft_wrap=True)

    def progress(self, change: Progress) -> None:
        """Report a change of one video."""
        if self._display is not None:
            self._display.hear(change)

    def happening(self, happening: Happening) -> None:
        """Report an event of the whole run."""
        if self._display is not None:
            self._display.watch(happening)

    def plan(self, forecast: Forecast, *, on_err: bool = False) -> None:
        """Print what would be bought, by model, with its price, and what limits it. On stdout or stderr."""
        console = self.err if on_err else self.out
        if forecast.models:
            table = Table(box=None, pad_edge=False, header_style="bold")
            table.add_column("model", no_wrap=True, max_width=max(console.width - 40, 20))
            table.add_column("to buy", justify="right", no_wrap=True)
            table.add_column("price", no_wrap=True)
            for one in forecast.models:
                table.add_row(escape(one.model), str(one.count), one.price)
            console.print(table)
        for remark in forecast.remarks:
            console.print(remark, markup=False, style="dim", soft_wrap=True)
        console.print(f"{forecast.sentence}.", markup=False, style="bold", soft_wrap=True)

    def table(self, summary: Summary) -> None:
        """Print each video with state, seconds, cost, location, then the counts. If there are many, list problems."""
        videos = list(enumerate(summary.videos, 1))
        listed = videos
        if len(videos) > _LISTED:
            listed = [(number, video) for number, video in videos if video.state not in GOOD][:_LISTED]
        if listed:
            self._rows(listed)
        odd = [
            (number, video) for number, video in listed if video.state is VideoState.ARCHIVED and video.notes
        ]
        for number, video in odd[:_NOTED]:
            self._numbered(number, printable(" ".join(video.notes), 300), "yellow")
        if left := len(videos) - len(listed):
            good = sum(video.state in GOOD for _, video in videos)
            others = f" and {left - good} others" if left > good else ""
            self.out.print(f"\nNot listed: {good} in the archive{others}.", style="dim")
        style = "bold green" if summary.is_good else "bold yellow"
        self.out.print(f"\n{escape(summary.sentence)}.", style=style)

    def _rows(self, videos: Sequence[tuple[int, VideoOutcome]]) -> None:
        wide = self.out.width >= _WIDE_ENOUGH
        table = Table(box=None, pad_edge=False, header_style="bold")
        # State and cost are never cut: on a narrow terminal, prompt and model get less room.
        room = max(self.out.width - _BESIDE_THE_TEXTS, 20)
        # If room is short, a model that all videos share is printed once below the table.
        models = {_model(outcome) for _, outcome in videos}
        common = models.pop() if len(models) == 1 and self.out.width < _ROOMY else None
        prompt = room if common else min(room * 6 // 11, _LONGEST_TITLE)
        texts = [("prompt", prompt)] if common else [("prompt", prompt), ("model", room * 5 // 11)]
        for name, most in (("", None), *texts, ("state", None)):
            table.add_column(name, no_wrap=True, max_width=most)
        labelled = wide and any(outcome.labels for _, outcome in videos)
        if labelled:
            table.add_column("labels", overflow="fold", max_width=32)
        for name in ("seconds", "USD"):
            table.add_column(name, no_wrap=True, justify="right")
        if wide:
            table.add_column("location", overflow="fold")
        amounts = usd_cells(outcome.cost_usd for _, outcome in videos)
        for (number, outcome), amount in zip(videos, amounts, strict=True):
            cells = [*_row(outcome, prompt, with_model=not common), amount]
            if labelled:
                cells.insert(3, escape(_labels(outcome)))
            table.add_row(str(number), *cells, *([escape(_where(outcome))] if wide else []))
        self.out.print(table)
        if common:
            self._print(self.out, f"\nModel: {printable(common, 60)}", "dim")
        if not wide:
            self.out.print()
            for number, outcome in videos:
                labels = f"  ({_labels(outcome)})" if outcome.labels else ""
                self._numbered(number, f"{_where(outcome)}{labels}", "dim")

    def _numbered(self, number: int, text: str, style: str) -> None:
        """`  7  text`. On a terminal, long text is folded and indented; a long address stays beside its number."""
        head = f"{number:>3}  "
        lines = fold(text, self.out.width - len(head)) if self.out.is_terminal else [text]
        words = f"\n{' ' * len(head)}".join(lines)
        self.out.print(Text(f"{head}{words}", style), soft_wrap=True)

    def result(self, summary: Summary, *, as_json: bool) -> None:
        """Print the result of a run: one JSON document, or the table and the next commands."""
        if as_json:
            self.document(summary.as_json())
            return
        self.table(summary)
        for name, text, address in last_lines(summary, self.run_url):
            self.link(name, text, address)

    def link(self, name: str, text: str, address: str | None = None, *, on_err: bool = False) -> None:
        """Print `Gallery: file:///…`, which can be clicked if the terminal supports links."""
        if on_err and self._quiet:
            return
        line = Text(f"{name}: ")
        line.append(printable(text, 2000), style=Style(link=address) if address else "")
        (self.err if on_err else self.out).print(line, soft_wrap=True)

    def document(self, content: dict[str, Any]) -> None:
        """Print one JSON document on stdout."""
        self.out.file.write(json_text(content) + "\n")


def _row(outcome: VideoOutcome, longest_title: int, *, with_model: bool) -> list[str]:
    colour = _COLOURS[outcome.state.value]
    return [
        escape(outcome.title_in(longest_title) if outcome.prompt else "—"),
        *([escape(printable(_model(outcome), 60))] if with_model else []),
        f"[{colour}]{outcome.state.value}[/]",
        "—" if outcome.seconds is None else f"{outcome.seconds:.1f}",
    ]


def _model(outcome: VideoOutcome) -> str:
    """`pixverse/pixverse-v6 for pixverse/pixverse-v5` if another model took over."""
    return outcome.model[:28] + (f" for {outcome.asked_model[:28]}" if outcome.asked_model else "")


def _labels(outcome: VideoOutcome) -> str:
    """`campaign=spring, redo_of=4be0e5b8`. The id of a video is shortened."""
    labels = {name: value[:_SHORT_ID] if name == REDO_OF else value for name, value in outcome.labels.items()}
    return printable(", ".join(f"{name}={value}" for name, value in labels.items()), 200)


def _where(outcome: VideoOutcome) -> str:
    return printable(outcome.uri or outcome.error or "—", 400)
