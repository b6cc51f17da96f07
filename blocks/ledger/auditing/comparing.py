"""Comparing one file of an archive with its record."""

from __future__ import annotations

from prefect_together_video.blocks.store.objects import StoredHead
from prefect_together_video.blocks.store.store import Store
from together_video.ledger.audit import AuditFinding
from together_video.ledger.records import StoredObject


async def compared(
    store: Store, stored: StoredObject, size: int | None, *, deep: bool, head: StoredHead | None = None
) -> AuditFinding | None:
    """What is wrong with an existing file: `deep` by its content, otherwise by the checksum that the store has.

    Args:
        size: bytes, as the file was listed.
        head: what the store says about it, if that is already known.
    """
    if size != stored.size:
        words = f"has {size} bytes, but {stored.size} are recorded"
        return AuditFinding(kind="size", key=stored.key, message=words)
    if deep:
        sha256 = await store.content_sha256(stored.key)
    else:
        head = head or await store.head(stored.key)
        sha256 = head.sha256 if head else None
    if sha256 is not None and sha256 != stored.sha256:
        words = f"has SHA-256 {sha256}, but {stored.sha256} is recorded"
        return AuditFinding(kind="checksum", key=stored.key, message=words)
    return None
