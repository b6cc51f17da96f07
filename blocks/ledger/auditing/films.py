"""Comparing films with the files that they name. All of a film's folder belongs to it; frames are not checked."""

from __future__ import annotations

from collections.abc import Mapping

from prefect_together_video.blocks.ledger.auditing.comparing import compared
from prefect_together_video.blocks.ledger.ledger import Ledger
from together_video.errors import ArchiveError, StoreUnavailable
from together_video.film.record import FilmRecord
from together_video.ledger.audit import AuditFinding
from together_video.ledger.records import StoredObject


async def audit_films(ledger: Ledger, *, deep: bool) -> list[AuditFinding]:
    """What is wrong with each film: `deep` by the content of its files, otherwise by the checksum that the store has. A
    film that was interrupted has no record yet: the same command finishes it, so nothing is wrong with it.

    Raises:
        StoreUnavailable: the archive does not answer.
    """
    findings: list[AuditFinding] = []
    async for film, objects in ledger.films.all():
        key = ledger.layout.film(film, "film.json")
        if key not in objects:
            continue
        try:
            record = await ledger.films.read(film)
        except StoreUnavailable:
            raise
        except ArchiveError as error:
            findings.append(AuditFinding(kind="unreadable", key=key, message=error.message))
            continue
        if record is not None:
            findings += await _compared(ledger, record, objects, deep=deep)
    return findings


async def _compared(
    ledger: Ledger, record: FilmRecord, objects: Mapping[str, int], *, deep: bool
) -> list[AuditFinding]:
    found = [await _compare(ledger, stored, objects.get(stored.key), deep=deep) for stored in record.files]
    named = {ledger.layout.film(record.id, "film.json"), *(stored.key for stored in record.files)}
    message = "is in a film's folder, but the film's record does not name it"
    orphans = [AuditFinding(kind="orphan", key=key, message=message) for key in objects if key not in named]
    return [*(finding for finding in found if finding is not None), *orphans]


async def _compare(
    ledger: Ledger, stored: StoredObject, size: int | None, *, deep: bool
) -> AuditFinding | None:
    if size is None:
        message = "the film's record names it, but it is missing"
        return AuditFinding(kind="missing", key=stored.key, message=message)
    return await compared(ledger.store, stored, size, deep=deep)
