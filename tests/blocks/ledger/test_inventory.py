"""What an archive knows of all its videos: the same with an index, without one, and with a wrong one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.blocks.ledger.auditing.book import audit_book
from prefect_together_video.blocks.ledger.auditing.listing import ArchiveListing
from prefect_together_video.blocks.ledger.inventory import Inventory, take_inventory
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.store.store import Store
from together_video.ledger.index import packed
from together_video.ledger.layout import Layout
from together_video.ledger.records import VideoPlan, VideoRecord
from together_video.ledger.reviews import Mark
from together_video.requests import VideoRequest

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def ledger(store: Store) -> Ledger:
    """A ledger under a prefix."""
    return Ledger(store, Layout(prefix="films"))


def plan(prompt: str) -> VideoPlan:
    return VideoPlan(request=VideoRequest(model="m", prompt=prompt), batch_id="20261127T120000-abcdef")


async def record(ledger: Ledger, prompt: str, *, days: int = 0, late: bool = False, **more: Any) -> str:
    made = plan(prompt)
    at = NOW - timedelta(days=days)
    fields = {
        "id": made.id,
        "state": "archived",
        "plan": made,
        "recorded_at": at,
        "cost_usd": Decimal("0.28"),
    }
    fact = VideoRecord.model_validate({**fields, **more})
    key = ledger.layout.late_record(made.id) if late else ledger.layout.record(made.id)
    assert await ledger.store.put_once(key, fact.model_dump_json().encode())
    return made.id


def mark(video: str, verdict: str | None, minute: int = 0, note: str = "") -> Mark:
    at = f"2026-11-27T13:{minute:02}:00Z"
    return Mark.model_validate({"id": video, "mark": verdict, "at": at, "note": note, "who": "Ann"})


async def same_as_a_scan(ledger: Ledger) -> Inventory:
    """The inventory by the index, which is that without it."""
    quick, scan = await take_inventory(ledger), await take_inventory(ledger, {})
    assert quick.videos == scan.videos
    assert sorted(quick.recorded) == sorted(scan.recorded)
    return quick


async def test_whatever_happens_the_index_gives_what_a_scan_gives(ledger: Ledger) -> None:
    """Records, marks and purchases that come later; records that change, come late or are gone; two months."""
    fox = await record(ledger, "a fox")
    owl = await record(ledger, "an owl", days=40, state="failed", error="no")
    assert (await same_as_a_scan(ledger)).read == 2
    kept = await ledger.reviews.keep(
        [mark(fox, "star"), mark(owl, "reject", note="dark"), mark("f" * 24, "star")]
    )
    assert [len(found) for found in (kept.written, kept.unchanged, kept.unknown)] == [2, 0, 1]
    again = await ledger.reviews.keep([mark(fox, "star")])
    assert (len(again.written), len(again.unchanged)) == (0, 1)

    assert await ledger.index.rebuild((await take_inventory(ledger)).recorded) == 2
    assert await ledger.index.rebuild((await take_inventory(ledger)).recorded) == 0
    found = await same_as_a_scan(ledger)
    assert (found.read, [(one.mark, one.note) for one in found.videos]) == (
        0,
        [("star", ""), ("reject", "dark")],
    )

    # Later than the index: another mark, one taken back, a record, a purchase in flight.
    await ledger.reviews.keep([mark(fox, None, 5), mark(owl, None, 5, note="better"), mark(fox, "reject", 4)])
    await record(ledger, "a hare", days=2)
    assert await ledger.claim(plan("a kite"), valid_seconds=60)
    found = await same_as_a_scan(ledger)
    assert (found.read, [one.state for one in found.videos]) == (
        1,
        ["claimed", "archived", "archived", "failed"],
    )
    assert {one.id: (one.mark, one.note) for one in found.videos if one.review} == {
        fox: (None, ""),
        owl: (None, "better"),
    }
    assert (
        await ledger.reviews.of([fox, owl])
        == await ledger.reviews.all()
        == {owl: mark(owl, None, 5, note="better")}
    )

    # Replaced by somebody, gone, and come late.
    await ledger.index.rebuild(found.recorded)
    await ledger.store.delete([ledger.layout.record(fox), ledger.layout.record(owl)])
    await record(ledger, "a fox", state="abandoned", error="given up, at some length")
    await record(ledger, "a fox", late=True, cost_usd=Decimal(2))
    found = await same_as_a_scan(ledger)
    assert (found.read, [one.cost for one in found.videos if one.id == fox], len(found.videos)) == (
        2,
        ["2"],
        3,
    )


async def test_a_lost_corrupt_or_forged_index_is_only_slow(ledger: Ledger) -> None:
    """The list is that of a scan, and the next rebuild puts it right."""
    fox = await record(ledger, "a fox")
    (line,) = (await take_inventory(ledger)).recorded
    forged = [
        line._replace(size=line.size + 1, cost="0"),
        line._replace(name=f"{'e' * 24}.json", prompt="never made"),
        line._replace(review=mark(fox, "star").object_name, mark="star"),
    ]
    for name, data in [*packed(forged[:2]), *packed(forged[2:]), ("0" * 32 + ".json.gz", b"no gzip")]:
        await ledger.store.put_once(ledger.layout.index("2026-11", name), data)
    await ledger.store.put_once(ledger.layout.index("2026-11", "notes.txt"), b"mine")
    await ledger.reviews.keep([mark(fox, "reject")])
    found = await same_as_a_scan(ledger)
    assert [(one.id, one.cost, one.mark) for one in found.videos] == [(fox, "0.28", "reject")]

    await ledger.index.rebuild(found.recorded)
    keys = [one.key for one in await ledger.store.list(ledger.layout.index())]
    assert len(keys) == 2
    assert ledger.layout.index("2026-11", "notes.txt") in keys
    assert (await same_as_a_scan(ledger)).read == 0


async def test_two_rebuilds_that_race_lose_no_line_for_a_reader(ledger: Ledger) -> None:
    """Each writes before it removes; whatever is left, the list is that of a scan."""
    await record(ledger, "a fox")
    await ledger.index.rebuild((await take_inventory(ledger)).recorded)
    older = (await take_inventory(ledger)).recorded
    await record(ledger, "an owl")
    newer = (await take_inventory(ledger)).recorded
    await asyncio.gather(
        ledger.index.rebuild(older),
        ledger.index.rebuild(newer),
        same_as_a_scan(ledger),
        ledger.index.rebuild(newer),
    )
    await same_as_a_scan(ledger)
    await ledger.index.rebuild(newer)
    assert (await same_as_a_scan(ledger)).read == 0


async def test_an_object_that_a_rebuild_removes_is_looked_for_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader has listed the old object; when it reads, the new one is there instead."""
    await record(ledger, "a fox")
    await ledger.index.rebuild((await take_inventory(ledger)).recorded)
    await record(ledger, "an owl")
    recorded = (await take_inventory(ledger)).recorded
    get, is_first = ledger.store.get, True

    async def rebuilt(key: str) -> Any:
        nonlocal is_first
        if is_first and "/index/" in key:
            is_first = False
            await ledger.index.rebuild(recorded)
        return await get(key)

    monkeypatch.setattr(ledger.store, "get", rebuilt)
    assert (await take_inventory(ledger)).read == 0


async def test_one_of_all_collectors_rebuilds_in_six_hours(ledger: Ledger) -> None:
    """Nothing is written where there is nothing to list."""
    assert not await ledger.index.takes_turn(NOW)
    await record(ledger, "a fox")
    turns = await asyncio.gather(*(ledger.index.takes_turn(NOW) for _ in range(3)))
    assert sorted(turns) == [False, False, True]
    assert not await ledger.index.takes_turn(NOW + timedelta(hours=5))
    assert await ledger.index.takes_turn(NOW + timedelta(hours=6))
    assert len(await ledger.store.list(ledger.layout.index())) == 1


async def test_marks_of_a_stranger_are_passed_over(ledger: Ledger) -> None:
    """A newer name with other content does not hide the mark that is ours; stray keys are named by the audit."""
    fox = await record(ledger, "a fox")
    await ledger.reviews.keep([mark(fox, "star", 1)])
    forged = mark(fox, "reject", 9).object_name
    for name in (forged, "20261127T130000Z.json"):
        await ledger.store.put_once(ledger.layout.review(fox, name), mark(fox, "reject", 8).content)
    assert (await ledger.reviews.of([fox]))[fox].mark == "star"
    await ledger.index.rebuild((await take_inventory(ledger)).recorded)
    assert (await same_as_a_scan(ledger)).videos[0].mark == "star"
    with audit_book() as book:
        listing = ArchiveListing(ledger, book)
        await listing.list_marks()
    assert [key.rpartition("/")[2] for key in listing.foreign] == ["20261127T130000Z.json"]
