"""`together-video show`: everything that the archive knows about one video or film."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.markup import escape
from rich.table import Table

from prefect_together_video.flows.cli.finding.looking import begin_looking, opened_archive
from prefect_together_video.flows.cli.finding.shown_request import request_rows
from prefect_together_video.flows.cli.options import LookOptions
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.errors import InputError
from together_video.ledger.bought import Bought, Money
from together_video.ledger.records import LedgerState
from together_video.ledger.reviews import Mark
from together_video.ledger.support import support_paragraph, utc_time
from together_video.money import usd, usd_number_or_none
from together_video.text import one_line, printable

if TYPE_CHECKING:
    from prefect_together_video.blocks.ledger.ledger import Facts, Ledger
    from together_video.film.record import FilmRecord


def show(
    id_: Annotated[str, Parameter(name="ID")],
    /,
    *,
    place: LookOptions = LookOptions(),  # noqa: B008 - frozen
) -> int:
    """Show what the archive knows about a video: state, times, cost, ids, and a paragraph for support. For a film, show
    its files and shots.

    Parameters
    ----------
    id_
        The id of a video or film, or at least its first 6 digits; or a video's job id, or its file's key or address.
    """
    terminal = begin_looking(place)

    async def read() -> tuple[str, Facts, Mark | None] | int:
        async with opened_archive(place) as ledger:
            from prefect_together_video.blocks.ledger.finding import find_film

            if (film := await find_film(ledger, id_)) is not None:
                return await _film(ledger, film, terminal, as_json=place.json)
            video = await _video(ledger, id_)
            mark = (await ledger.reviews.of([video])).get(video)
            record = await ledger.last_record(video)
            facts = await ledger.facts_in_flight(video)
            if record is None and facts.state is LedgerState.ABSENT:
                raise InputError(f"There is no video {video} in {ledger.store.uri(ledger.layout.key(''))}.")
            if record is None and facts.claim is None:
                raise InputError(
                    f"{ledger.store.uri(ledger.layout.key('inflight', video, ''))} has no claim, so nobody knows what "
                    "was bought: together-video audit lists the objects there."
                )
            if record is None:
                return video, facts, mark
            # In-flight objects beside a record are left over from a clean-up.
            update = {"record": record, "state": LedgerState(record.state)}
            return video, facts.model_copy(update=update), mark

    found = asyncio.run(read())
    if isinstance(found, int):
        return found
    video, facts, mark = found
    paragraph = support_paragraph(facts.claim, facts.submission, facts.ambiguity, facts.record)
    if place.json:
        terminal.document(_document(video, facts, mark, paragraph))
    else:
        _print(video, facts, mark, paragraph, terminal)
    return 0


async def _film(ledger: Ledger, film: FilmRecord, terminal: Terminal, *, as_json: bool) -> int:
    from prefect_together_video.flows.cli.finding import shown_film

    marks = await ledger.reviews.of({one.id for one in film.shots})
    if as_json:
        terminal.document(shown_film.film_document(film, marks, ledger.place))
    else:
        shown_film.print_film(film, marks, ledger.place, terminal)
    return 0


async def _video(ledger: Ledger, given: str) -> str:
    """The full id of the video.

    Raises:
        InputError: there is none. If a batch has that id, the error names the commands that show it.
    """
    from prefect_together_video.blocks.ledger.finding import find_batch, find_video

    try:
        return await find_video(ledger, given)
    except InputError:  # also if several videos begin like this
        batch = await find_batch(ledger, given)
        start = None if batch is None else ledger.layout.key("batches", batch, "")
        if start is None or not await ledger.store.list(start):
            raise
        raise InputError(
            f"{batch} is a batch, not a video. together-video list --batch {batch} lists its videos, and "
            f"together-video open {batch} opens its gallery."
        ) from None


def _rows(video: str, facts: Facts, mark: Mark | None) -> list[tuple[str, str]]:
    record, claim, job = facts.record, facts.claim, facts.submission
    known = record or claim
    fact = record or job or facts.ambiguity
    rows = [("id", video), ("state", facts.state.value)]
    if known is not None:
        plan = known.plan
        rows += [("prompt", one_line(plan.request.prompt or "—", 400)), ("model", plan.request.model)]
        rows += request_rows(plan)
        rows += [(f"label {name}", text) for name, text in plan.request.labels.items()]
        rows += [("edition", plan.edition), ("take", str(plan.take)), ("attempt", str(plan.attempt))]
        rows += [("batch", plan.batch_id)] if plan.batch_id else []
        rows += [("claimed", utc_time(known.claimed_at))] if known.claimed_at else []
    if fact is not None and fact.sent_at is not None:
        rows.append(("create sent", utc_time(fact.sent_at)))
    rows += [(name, text) for name, text in (fact.request_ids if fact is not None else {}).items()]
    if job_id := (record.job_id if record else None) or (job.job_id if job else None):
        rows.append(("job", job_id))
    submitted = (record.submitted_at if record else None) or (job.submitted_at if job else None)
    rows += [("accepted", utc_time(submitted))] if submitted else []
    if record is not None:
        rows.append(("recorded", utc_time(record.recorded_at)))
        rows += _money(facts)
        rows += [("video", record.video.key)] if record.video else []
        rows += [("error", record.error)] if record.error else []
        rows += [("note", note) for note in record.notes]
    else:
        rows += _money(facts)
    if facts.ambiguity is not None and record is None:
        rows.append(("why ambiguous", facts.ambiguity.reason))
    if mark is not None:
        said = ", ".join(
            part for part in (mark.mark, f"by {mark.who}" if mark.who else "", utc_time(mark.at)) if part
        )
        rows += [("review", said), *([("review note", mark.note)] if mark.note else [])]
    if known is not None and known.run.flow_run_name:
        rows.append(("run", known.run.flow_run_name))
    return rows


def _bought(facts: Facts) -> Bought | None:
    """The purchase, counted as `spend` does."""
    if facts.record is not None:
        return Bought.of_record(facts.record)
    return None if facts.claim is None else Bought.of_claim(facts.claim, facts.state, facts.submission)


def _money(facts: Facts) -> list[tuple[str, str]]:
    """One line: `paid`, `perhaps paid` or `in flight`."""
    bought = _bought(facts)
    if bought is None or bought.is_nothing:
        return []
    if bought.amount_usd is None:
        return [(bought.money.value, "price unknown")]
    most = "" if bought.money is Money.PAID else "at most "
    return [(bought.money.value, f"{most}{usd(bought.amount_usd)}")]


def _print(video: str, facts: Facts, mark: Mark | None, paragraph: str, terminal: Terminal) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _rows(video, facts, mark):
        table.add_row(escape(printable(name, 60)), escape(printable(text, 1000)))
    terminal.out.print(table)
    terminal.out.print("\nFor the provider's support:", style="bold")
    terminal.out.print(printable(paragraph, 3000), soft_wrap=True, markup=False)


def _document(video: str, facts: Facts, mark: Mark | None, paragraph: str) -> dict[str, Any]:
    found = {
        name: None if fact is None else fact.model_dump(mode="json")
        for name, fact in (
            ("record", facts.record),
            ("claim", facts.claim),
            ("job", facts.submission),
            ("ambiguity", facts.ambiguity),
        )
    }
    bought = _bought(facts)
    cost = facts.record.cost_usd if facts.record else None
    most = {money: bought.amount_usd if bought and bought.money is money else None for money in Money}
    return {
        "id": video,
        "state": facts.state.value,
        "cost_usd": usd_number_or_none(cost),
        "perhaps_paid_usd": usd_number_or_none(most[Money.PERHAPS_PAID]),
        "in_flight_usd": usd_number_or_none(most[Money.IN_FLIGHT]),
        **found,
        "review": None if mark is None else mark.model_dump(mode="json"),
        "support": paragraph,
    }
