"""Show the plan and price of a run on the terminal, and ask whether to buy it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from prefect_together_video.flows.cli.options import ConfirmOptions, PlaceOptions
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.tasks.session.prospects import Prospects
from together_video.errors import InputError, NotApproved
from together_video.ledger.forecast import Forecast, low_price
from together_video.money import usd, usd_number_or_none
from together_video.text import one_line

VARIABLE = "TOGETHER_VIDEO_CONFIRM_ABOVE"
DEFAULT_USD = Decimal(1)
#: Longest answer that is read, in bytes. A terminal returns one line at a time.
_ANSWER = 1024
_BRIEF = "A chat model was paid to write the prompts. They are kept, and the run will use them."


class Confirmation:
    """Asks on the terminal before a run that costs more than a threshold, or shows the plan of a dry run.

    Args:
        asks: whether a person is there to answer.
        above: the highest price that needs no confirmation, in US dollars.
    """

    def __init__(
        self, terminal: Terminal, *, asks: bool, above: Decimal, dry_run: bool, as_json: bool, brief: bool
    ) -> None:
        self.is_dry_run = dry_run
        #: Whether the question is on the terminal: an interrupt then comes before any purchase.
        self.is_open = False
        self.is_shown = False
        self._terminal, self._asks, self._above = terminal, asks, above
        self._as_json, self._has_brief = as_json, brief

    @classmethod
    def of(
        cls, options: ConfirmOptions, place: PlaceOptions, terminal: Terminal, *, brief: bool
    ) -> Confirmation:
        """Raises InputError: the threshold is not an amount."""
        return cls(
            terminal,
            asks=is_person_there() and not options.yes and not place.json,
            above=threshold(options.confirm_above, os.environ),
            dry_run=options.dry_run,
            as_json=place.json,
            brief=brief,
        )

    def cares(self, forecast: Forecast) -> bool:
        return self.is_dry_run or (self._asks and self._is_above(forecast))

    async def decide(self, prospects: Prospects) -> None:
        """Print the plan, and ask unless it is a dry run.

        Raises:
            NotApproved: it is a dry run, or the answer is not yes.
        """
        forecast = prospects.forecast
        if self.is_dry_run:
            with self._terminal.paused():
                self._print(prospects)
            self.is_shown = True
            raise NotApproved("Dry run: nothing was bought.")
        if not forecast.buys or not self._is_above(forecast):
            return
        with self._terminal.paused():
            await self._ask(prospects)

    def introduce(self, prospects: Prospects, *, on_err: bool) -> None:
        """Print something above the plan, on stdout or stderr. Here, nothing."""

    def document(self, prospects: Prospects) -> dict[str, Any]:
        """See `document`."""
        return document(prospects)

    async def _ask(self, prospects: Prospects) -> None:
        forecast = prospects.forecast
        self.introduce(prospects, on_err=True)
        self._terminal.plan(forecast, on_err=True)
        if self._has_brief:
            self._terminal.say(_BRIEF)
        most = "an unknown amount" if forecast.most_usd is None else f"at most {usd(forecast.most_usd)}"
        self.is_open = True
        if not await says_yes(f"Buy {'it' if forecast.to_buy == 1 else 'them'} for {most}? [y/N] "):
            raise NotApproved("Nothing was bought.")
        self.is_open = False

    def _is_above(self, forecast: Forecast) -> bool:
        return forecast.most_usd is None or forecast.most_usd > self._above

    def _print(self, prospects: Prospects) -> None:
        if self._as_json:
            self._terminal.document(self.document(prospects))
            return
        self.introduce(prospects, on_err=False)
        self._terminal.plan(prospects.forecast)
        if self._has_brief:
            for plan in prospects.plans:
                self._terminal.out.print(
                    f"- {one_line(plan.request.prompt or '')}", markup=False, soft_wrap=True
                )
            self._terminal.out.print(_BRIEF, soft_wrap=True)
        self._terminal.out.print("Dry run: nothing was bought.")


def document(prospects: Prospects) -> dict[str, Any]:
    """The plan as the document of `--dry-run --json`: the totals, and a row for each video."""
    rows = []
    for plan, fate in zip(prospects.plans, prospects.fates, strict=True):
        low = low_price(plan)
        rows.append(
            {
                "id": plan.id,
                "prompt": plan.request.prompt,
                "model": plan.request.model,
                "labels": plan.request.labels,
                "fate": fate.value,
                "low_usd": usd_number_or_none(low),
                "high_usd": usd_number_or_none(plan.estimate_usd),
            }
        )
    return {"dry_run": True, "plan": prospects.forecast.as_json(), "videos": rows}


def is_person_there() -> bool:
    """Whether somebody can read a question and answer it: stdin and stderr are terminals."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def threshold(given: float | None, environment: Mapping[str, str]) -> Decimal:
    """The highest price, in US dollars, that needs no confirmation.

    Raises:
        InputError: it is not an amount.
    """
    said = environment.get(VARIABLE, "").strip()
    name, text = (VARIABLE, said) if given is None else ("--confirm-above", str(given))
    if not text:
        return DEFAULT_USD
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < 10**9:
        raise InputError(f"{name} must be an amount in US dollars, 0 or more, not {one_line(text, 40)!r}.")
    return amount


async def says_yes(question: str) -> bool:
    """Ask on the terminal. The event loop keeps running, and an interrupt ends the wait.

    Raises:
        NotApproved: the terminal was closed, or end of input was typed.
    """
    print(question, end="", file=sys.stderr, flush=True)  # noqa: T201 - the question
    loop = asyncio.get_running_loop()
    line: asyncio.Future[bytes] = loop.create_future()
    number = sys.stdin.fileno()

    def read() -> None:
        try:
            said = os.read(number, _ANSWER)
        except OSError:
            said = b""
        if not line.done():
            line.set_result(said)

    loop.add_reader(number, read)
    try:
        said = await line
    except asyncio.CancelledError:
        print(file=sys.stderr)  # noqa: T201 - ends the line of the question
        raise
    finally:
        loop.remove_reader(number)
    if not said:
        print(file=sys.stderr)  # noqa: T201
        raise NotApproved("The question was not answered. Nothing was bought.")
    return said.strip().lower() in {b"y", b"yes"}
