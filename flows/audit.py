"""Flow: verify every record against the archive, find orphaned and half-written files, and add up the cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.ledger.ledger import InFlight, Ledger
from prefect_together_video.blocks.store.objects import ListedObject
from prefect_together_video.flows.engine.index_rebuild import rebuild_index
from prefect_together_video.flows.parameters import Archive, documented, run_name
from prefect_together_video.flows.reporting.happenings import Phase, happens
from prefect_together_video.flows.reporting.results import final, refused
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import InputError, VideoError
from together_video.ledger.audit import AuditFinding, AuditReport, Kind, spent_by_month
from together_video.ledger.records import WATCHED_SECONDS, StoredObject, VideoRecord
from together_video.media.references import references_of
from together_video.text import counted

#: What is in flight for longer than this is no running job any more.
_STALE = timedelta(days=1)
#: A run empties inflight right after its record; later than this it was cut short.
_TIDYING = timedelta(minutes=10)
#: What ends a doubt.
_CLOSED_BY = (
    "--on-ambiguous resolve buys the video again if the provider's bill shows that it was not charged, --on-ambiguous "
    "resubmit in any case."
)


@flow(
    name="audit-archive",
    description="Every record has its files with the right size and checksum; nothing is orphaned; what was spent.",
    flow_run_name=run_name("audit"),
)
@documented(AuditReport)
async def audit_archive(
    deep: Annotated[
        bool, Field(description="Read every video back and compare its bytes, not only its metadata.")
    ] = False,
    archive: Archive = None,
) -> State[Any]:
    """It changes nothing but the index, which it rebuilds where it may write. The run ends as Failed on any finding.

    Returns:
        An `AuditReport` without findings.

    Raises:
        RunIncomplete: there are findings; `result` is the report.
        VideoError: the run could not begin; nothing was read.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import audit_archive

        @flow
        async def monthly_bill():
            report = await audit_archive()
            return [(row.month, row.model, row.cost_usd) for row in report.spent]
        ```
    """
    try:
        async with (archive or VideoArchive.from_env()).open() as ledger:
            report, records = await audit_with_records(ledger, deep=deep)
            await rebuild_index(ledger, records)
    except VideoError as error:
        return refused(error)
    for finding in report.findings:
        run_logger().error("%s: %s: %s", finding.kind, finding.key, finding.message)
    return final(report, is_good=not report.findings)


async def audit(ledger: Ledger, *, deep: bool) -> AuditReport:
    """Read the whole ledger. Two listings, a read for each record, a HEAD (or a full read) for each object."""
    return (await audit_with_records(ledger, deep=deep))[0]


async def audit_with_records(ledger: Ledger, *, deep: bool) -> tuple[AuditReport, Mapping[str, VideoRecord]]:
    """The same, and the records that were read, by key."""
    layout = ledger.layout
    happens(Phase("Listing the archive"))
    # Inflight first: what finishes meanwhile has its record by the time that records are listed.
    in_flight = await ledger.in_flight()
    claimed, broken = await _keys_of_claims(ledger, in_flight)
    # Media before records: a file whose record appears in between is then known, not an orphan.
    media = {stored.key: stored for stored in await ledger.store.list(layout.key("videos", ""))}
    listed = await ledger.store.list(layout.key("records", ""))
    own = [one.key for one in listed if layout.is_own("records", one.key)]
    happens(Phase(f"Verifying {counted(len(own), 'record')}"))
    read = await asyncio.gather(*(_read(ledger, key) for key in own))
    by_key = {key: found for key, found in zip(own, read, strict=True) if isinstance(found, VideoRecord)}
    records = list(by_key.values())
    findings = broken + [found for found in read if isinstance(found, AuditFinding)]
    known = {stored.key for record in records for stored in (record.video, record.poster) if stored}
    # A poster whose upload had no clear answer is named by no record, and belongs to its video all the same.
    known |= {str(PurePosixPath(record.video.key).with_suffix(".jpg")) for record in records if record.video}
    checked = await asyncio.gather(*(_check(ledger, record, media, deep=deep) for record in records))
    findings += [finding for found in checked for finding in found]
    findings += [
        AuditFinding(kind="orphan", key=key, message="no record and no purchase in flight names this file")
        for key in sorted(set(media) - known - claimed)
    ]
    findings += await _inputs(ledger, records, deep=deep)
    findings += [
        AuditFinding(kind="foreign", key=key, message="is not what this project writes there, and is ignored")
        for key in await ledger.foreign_keys()
    ]
    # Again, as runs may have finished meanwhile: only what was there before and after is left over.
    remaining = await ledger.in_flight()
    left = {video: listed for video, listed in in_flight.items() if video in remaining}
    findings += _unfinished(ledger, left, {record.id: record for record in records})
    if ledger.spending.limit is not None:
        message = "money of the monthly limit is set aside for nothing: run collect"
        findings += [
            AuditFinding(kind="half-written", key=key, message=message)
            for key in await ledger.spending.entries.left_behind(remaining)
        ]
        costs: dict[str, Decimal] = {}
        for record in records:
            costs[record.id] = costs.get(record.id, Decimal(0)) + (record.cost_usd or Decimal(0))
        message = "counts against the monthly limit, and no record is of so much"
        findings += [
            AuditFinding(kind="foreign", key=key, message=message)
            for key in await ledger.spending.entries.unaccounted(costs)
        ]
    report = AuditReport(
        location=ledger.place.under(layout.key("")),
        bucket=ledger.place.bucket,
        records=len(records),
        objects=len(media),
        bytes=sum(stored.size for stored in media.values()),
        in_flight=len(in_flight),
        findings=tuple(findings),
        spent=spent_by_month(records),
    )
    return report, by_key


async def _keys_of_claims(
    ledger: Ledger, in_flight: dict[str, InFlight]
) -> tuple[set[str], list[AuditFinding]]:
    """The keys that purchases in flight will use, and the facts that cannot be read."""
    keys: set[str] = set()
    broken: list[AuditFinding] = []

    async def read(video: str) -> None:
        try:
            claim = (await ledger.facts_in_flight(video)).claim
        except VideoError as error:
            folder = ledger.layout.key("inflight", video, "")
            broken.append(AuditFinding(kind="unreadable", key=folder, message=error.message))
        else:
            keys.update((claim.video_key, claim.poster_key) if claim else ())

    await asyncio.gather(*(read(video) for video in in_flight))
    return keys, broken


async def _read(ledger: Ledger, key: str) -> VideoRecord | AuditFinding:
    try:
        found = await ledger.read_record(key)
    except VideoError as error:
        return AuditFinding(kind="unreadable", key=key, message=error.message)
    return found or AuditFinding(kind="missing", key=key, message="was listed and could not be read")


async def _check(
    ledger: Ledger, record: VideoRecord, media: dict[str, ListedObject], *, deep: bool
) -> list[AuditFinding]:
    if record.state == "archived" and record.video is None:
        key = ledger.layout.record(record.id)
        return [AuditFinding(kind="half-written", key=key, message="says archived and names no video")]
    objects = [stored for stored in (record.video, record.poster) if stored is not None]
    found = await asyncio.gather(*(_compare(ledger, stored, media, deep=deep) for stored in objects))
    return [finding for finding in found if finding is not None]


async def _compare(
    ledger: Ledger, stored: StoredObject, media: dict[str, ListedObject], *, deep: bool
) -> AuditFinding | None:
    there = media.get(stored.key)
    if there is None:
        return AuditFinding(
            kind="missing", key=stored.key, message="the record names it, and it is not there"
        )
    if there.size != stored.size:
        words = f"has {there.size} bytes, {stored.size} are recorded"
        return AuditFinding(kind="size", key=stored.key, message=words)
    if deep:
        sha256 = await ledger.store.content_sha256(stored.key)
    else:
        head = await ledger.store.head(stored.key)
        sha256 = head.sha256 if head else None
    if sha256 is not None and sha256 != stored.sha256:
        words = f"has SHA-256 {sha256}, {stored.sha256} is recorded"
        return AuditFinding(kind="checksum", key=stored.key, message=words)
    return None


async def _inputs(ledger: Ledger, records: list[VideoRecord], *, deep: bool) -> list[AuditFinding]:
    """The images, videos and audio that records name: each is there, and is what its name says.

    What no record names is no orphan: it was kept for a purchase that may still come.
    """
    kept = {stored.key for stored in await ledger.store.list(ledger.layout.key("media", ""))}
    findings: list[AuditFinding] = []
    named: set[str] = set()
    for record in records:
        for reference in references_of(record.plan.request):
            try:
                named.add(ledger.layout.referenced(reference))
            except InputError as error:
                key = ledger.layout.record(record.id)
                findings.append(AuditFinding(kind="unreadable", key=key, message=error.message))
    keys = sorted(named)
    missing = "a record's request names it, and it is not there"
    findings += [AuditFinding(kind="missing", key=key, message=missing) for key in keys if key not in kept]
    if deep:
        for key in kept & set(keys):
            sha256 = await ledger.store.content_sha256(key)
            if sha256 != (name := PurePosixPath(key).stem):
                words = f"has SHA-256 {sha256}, its name says {name}"
                findings.append(AuditFinding(kind="checksum", key=key, message=words))
    return findings


def _unfinished(
    ledger: Ledger, in_flight: dict[str, InFlight], done: dict[str, VideoRecord]
) -> list[AuditFinding]:
    layout, now = ledger.layout, datetime.now(UTC)
    found: list[tuple[str, Kind, str]] = []
    for video, listed in sorted(in_flight.items()):
        folder = layout.key("inflight", video, "")
        hours = (now - listed.since).total_seconds() / 3600
        if video in done:
            record = done[video]
            is_watched = record.state == "abandoned" and "job.json" in listed.facts
            if now - record.recorded_at > (timedelta(seconds=WATCHED_SECONDS) if is_watched else _TIDYING):
                found.append(
                    (
                        folder,
                        "half-written",
                        "its record is there: the clean-up was cut short; collect does it",
                    )
                )
        elif "claim.json" not in listed.facts:
            found.append((folder, "half-written", "there is no claim, so nobody knows what was bought"))
        elif "job.json" not in listed.facts and "ambiguous.json" in listed.facts:
            found.append(
                (
                    folder,
                    "ambiguous",
                    f"for {hours:.1f} h: it may have been charged and has no job id. {_CLOSED_BY}",
                )
            )
        elif now - listed.since > _STALE:
            words = f"in flight for {hours:.0f} h: run collect, which archives it or says how it stands. {_CLOSED_BY}"
            found.append((folder, "stale", words))
    return [AuditFinding(kind=kind, key=key, message=words) for key, kind, words in found]
