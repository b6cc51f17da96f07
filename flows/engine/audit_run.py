"""Verify every record against the archive, find orphaned and half-written files, and add up the costs: the work of the
flow `audit-archive`, which also runs without Prefect.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prefect_together_video.blocks.ledger.auditing.book import AuditBook, audit_book
from prefect_together_video.blocks.ledger.auditing.films import audit_films
from prefect_together_video.blocks.ledger.auditing.index import AuditedIndex
from prefect_together_video.blocks.ledger.auditing.listing import ArchiveListing
from prefect_together_video.blocks.ledger.auditing.unfinished import keys_of_claims, misspent, unfinished
from prefect_together_video.blocks.ledger.auditing.verification import Verification
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.opened import opened
from prefect_together_video.blocks.ledger.spending_entries import settled_before, this_month
from prefect_together_video.flows.reporting.happenings import Phase, happens
from prefect_together_video.flows.reporting.results import Ending, final, refused
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import VideoError
from together_video.ledger.audit import AuditFinding, AuditReport, Bought, spent_by_month
from together_video.ledger.settings import ArchiveSettings
from together_video.text import counted

if TYPE_CHECKING:
    from prefect_together_video.blocks.archive import VideoArchive


async def run_audit(
    *, deep: bool = False, full: bool = False, archive: VideoArchive | ArchiveSettings | None = None
) -> Ending:
    """The flow describes the parameters. The result is an `AuditReport`."""
    try:
        async with opened(archive) as ledger:
            report = await audit(ledger, deep=deep, full=full)
    except VideoError as error:
        return refused(error)
    for finding in report.findings:
        run_logger().error("%s: %s: %s", finding.kind, finding.key, finding.message)
    return final(report, is_good=not report.findings)


async def audit(ledger: Ledger, *, deep: bool = False, full: bool = False) -> AuditReport:
    """List the archive, read what must be verified, and rebuild the index. See the flow `audit_archive`."""
    with audit_book() as book:
        return await _audit(ledger, book, deep=deep, full=full)


async def _audit(ledger: Ledger, book: AuditBook, *, deep: bool, full: bool) -> AuditReport:
    layout, listing, index = ledger.layout, ArchiveListing(ledger, book), AuditedIndex(ledger, book)
    old_from = settled_before()
    happens(Phase("Listing the archive"))
    # In-flight facts first: a video that finishes in the meantime has its record when the records are listed.
    listed = await ledger.store.list(layout.inflight)
    listing.own("inflight", listed)
    in_flight = ledger.in_flight_of(listed)
    claimed, broken = await keys_of_claims(ledger, in_flight)
    await index.read(listing.own("index", await ledger.store.list(layout.index())), lines=not full)
    # Files before records: a file whose record appears in between is then known and not an orphan. The same for
    # payments. Media after the records, because media are there before the records that name them.
    await listing.list_files()
    await listing.list_marks()
    await listing.list_spending(this_month())
    await listing.list_records()
    await listing.list_media()
    verification = Verification(ledger, book, deep=deep)
    to_read, before = await asyncio.to_thread(verification.choose, full=full)
    known = f"; {before} {'was' if before == 1 else 'were'} verified before" if before else ""
    happens(Phase(f"Verifying {counted(to_read, 'record')}{known}"))
    await verification.verify()
    orphans = await asyncio.to_thread(verification.orphans, claimed)
    films = await audit_films(ledger, deep=deep)
    # Again, because runs may have finished in the meantime: only what was there before and after is left over.
    remaining = await ledger.in_flight()
    left = {video: listed for video, listed in in_flight.items() if video in remaining}
    findings = [
        *(broken + verification.unreadable + verification.of_files + orphans),
        *(finding for _, finding in sorted(verification.of_media.items())),
        *films,
        *(
            AuditFinding(
                kind="foreign", key=key, message="is not what this project writes there; it is ignored"
            )
            for key in sorted(listing.foreign)
        ),
        *await unfinished(ledger, book, left),
        *(misspent(book, in_flight, old_from) if ledger.spending.limit is not None else ()),
    ]
    happens(Phase("Rebuilding the index"))
    await _rebuild(index)
    records, objects, size = book.one(
        "SELECT (SELECT count(*) FROM records JOIN lines USING (name, size, written)), count(*), coalesce(sum(size), 0)"
        " FROM files"
    )
    return AuditReport(
        location=ledger.place.under(layout.key("")),
        bucket=ledger.place.bucket,
        records=records,
        verified_before=before,
        objects=objects,
        bytes=size,
        in_flight=len(in_flight),
        findings=tuple(findings),
        spent=spent_by_month(
            Bought(*row)
            for row in book.ask(
                "SELECT month, model, state, cost, count(*) FROM records JOIN lines USING (name, size, written)"
                " WHERE has_job GROUP BY month, model, state, cost"
            )
        ),
    )


async def _rebuild(index: AuditedIndex) -> None:
    """Rebuild the index. In an archive without write access, `list` is slower but correct."""
    try:
        await index.put_marks()
        if written := await index.write():
            run_logger().info("The index was rebuilt: %s", counted(written, "object"))
    except VideoError as error:
        words = "The index could not be written, so lists may be slow, or wrong if a part of the index is lost: %s"
        run_logger().warning(words, error)
