"""What a run shows in a terminal: how it stands while it goes on, and a table at the end.

Progress goes to stderr and the result to stdout, so that `--json` gives one clean document. Text
that others wrote (prompts, error messages) is escaped.
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
#: Characters of a line of the table beside prompt and model.
_BESIDE_THE_TEXTS = 38
#: Of more videos than this a table has only those that are not in the archive, and no more of them.
_LISTED = 30
#: As many notes about odd files are shown.
_NOTED = 10
#: Below this width, in characters, prompts need the room of a model that all videos have in common.
_ROOMY = 100
#: Characters of a prompt beside a model, and of the id of another video.
_LONGEST_TITLE, _SHORT_ID = 60, 8
#: From this width on, in characters, places fit beside the rest.
_WIDE_ENOUGH = 180


class Terminal:
    """One run's output. `quiet` leaves out progress (for `--json`, whose readers are programs); `verbose` adds a line
    for each change of a video.
    """

    def __init__(
        self, *, quiet: bool = False, verbose: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        first_line.clear()
        self.out = Console(highlight=False, emoji=False)
        if not self.out.is_terminal:
            # A file or a pipe has no width: nothing needs to be folded for it.
            self.out = Console(highlight=False, emoji=False, width=_WIDE_ENOUGH - 1)
        self.err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
        #: The page of the run in Prefect's UI, where a server has recorded it.
        self.run_url: str | None = None
        self._quiet = quiet
        self._verbose = verbose
        self._clock = clock
        self._display: RunDisplay | None = None

    def say(self, text: str) -> None:
        """One line for people, on stderr."""
        if not self._quiet:
            self._print(self.err, printable_lines(text))

    @contextmanager
    def waiting(self, text: str, *, in_pipe: bool = True) -> Iterator[None]:
        """What is waited for: shown as long as it lasts at a terminal, and a line in a pipe, where that is wanted."""
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
        """How a run stands, as long as it goes on: what `progress` and `happening` are told."""
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
        """What is under way, for as long as it takes, of a command that makes no videos."""
        from prefect_together_video.flows.cli.screen.steps import SILENT, ShownSteps

        if self._quiet:
            yield SILENT
            return
        with ShownSteps(self.err, clock=self._clock).shown() as steps:
            yield steps

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing moves, so that somebody can be asked."""
        with self._display.paused() if self._display else nullcontext():
            yield

    def note(self, text: str) -> None:
        """One line about what may matter, in words that others wrote; on stderr."""
        if not self._quiet:
            self._print(self.err, printable_lines(text), "yellow")

    def retry(self, text: str, error: str) -> None:
        """A step that failed is repeated: counted where a run is shown, and a line with -v."""
        if self._display is not None:
            self._display.count_retry(error)
        if self._verbose or self._display is None:
            self.note(text)

    def clear_line(self) -> None:
        """Take away the `^C` that a terminal has written at Ctrl-C: words beside it would be folded too late."""
        if self.err.is_terminal and not self.err.is_dumb_terminal:
            self.err.file.write("\r\x1b[K")

    def complain(self, text: str) -> None:
        """A clear sentence about what went wrong, on stderr, also with `--json`."""
        self._print(self.err, printable_lines(text), "red")

    @staticmethod
    def _print(console: Console, text: str, style: str = "") -> None:
        """Sentences: folded between words at a terminal, where an address stays whole; in a pipe not at all."""
        lines = text.splitlines()
        if console.is_terminal:
            lines = [folded for line in lines for folded in fold(line, console.width)]
        # Not by print's own style, which a live display would get as well.
        console.print(Text("\n".join(lines), style), soft_wrap=True)

    def progress(self, change: Progress) -> None:
        """The change of one video."""
        if self._display is not None:
            self._display.hear(change)

    def happening(self, happening: Happening) -> None:
        """What happens to the whole run."""
        if self._display is not None:
            self._display.watch(happening)

    def plan(self, forecast: Forecast, *, on_err: bool = False) -> None:
        """What is about to be bought, by model, with its price; and what is not, or limits it. On stdout, or stderr."""
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
        """Every video with its state, seconds, cost and place; then the counts. Of many, those to be looked after."""
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
            self.out.print(f"\nNot listed here: {good} that are in the archive{others}.", style="dim")
        style = "bold green" if summary.is_good else "bold yellow"
        self.out.print(f"\n{escape(summary.sentence)}.", style=style)

    def _rows(self, videos: Sequence[tuple[int, VideoOutcome]]) -> None:
        wide = self.out.width >= _WIDE_ENOUGH
        table = Table(box=None, pad_edge=False, header_style="bold")
        # What people look for is never cut: in a narrow terminal the prompt and the model make room.
        room = max(self.out.width - _BESIDE_THE_TEXTS, 20)
        # A model that all have in common is said once, where the prompts have little room.
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
            table.add_column("where it lies", overflow="fold")
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
        """`  7  text`, at a terminal folded under its beginning; a long address stays beside its number."""
        head = f"{number:>3}  "
        lines = fold(text, self.out.width - len(head)) if self.out.is_terminal else [text]
        words = f"\n{' ' * len(head)}".join(lines)
        self.out.print(Text(f"{head}{words}", style), soft_wrap=True)

    def result(self, summary: Summary, *, as_json: bool) -> None:
        """The end of a run: one JSON document, or the table and where to go from here."""
        if as_json:
            self.document(summary.as_json())
            return
        self.table(summary)
        for name, text, address in last_lines(summary, self.run_url):
            self.link(name, text, address)

    def link(self, name: str, text: str, address: str | None = None, *, on_err: bool = False) -> None:
        """`Gallery: file:///…`, which can be clicked where the terminal knows links."""
        if on_err and self._quiet:
            return
        line = Text(f"{name}: ")
        line.append(printable(text, 2000), style=Style(link=address) if address else "")
        (self.err if on_err else self.out).print(line, soft_wrap=True)

    def document(self, content: dict[str, Any]) -> None:
        """One JSON document on stdout."""
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
    """`pixverse/pixverse-v6 for pixverse/pixverse-v5`, where another model took over."""
    return outcome.model[:28] + (f" for {outcome.asked_model[:28]}" if outcome.asked_model else "")


def _labels(outcome: VideoOutcome) -> str:
    """`campaign=spring, redo_of=4be0e5b8`: of a video's id the beginning is enough."""
    labels = {name: value[:_SHORT_ID] if name == REDO_OF else value for name, value in outcome.labels.items()}
    return printable(", ".join(f"{name}={value}" for name, value in labels.items()), 200)


def _where(outcome: VideoOutcome) -> str:
    return printable(outcome.uri or outcome.error or "—", 400)
