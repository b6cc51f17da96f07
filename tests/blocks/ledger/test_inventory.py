"""What an archive knows of all its videos: the same with an index, without one, and with a wrong one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.blocks.ledger.auditing.book import audit_book
from prefect_together_video.blocks.ledger.auditing.listing import ArchiveListing
from prefect_together_video.blocks.ledger.inventory import Inventory, take_inventory
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.survey import Survey, survey
from prefect_together_video.blocks.store.store import Store
from together_video.ledger.index import Entry, packed
from together_video.ledger.layout import Layout
from together_video.ledger.lines import Newest
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
    await ledger.tidy(made.id)
    return made.id


async def rebuilt(ledger: Ledger) -> int:
    """The index as an audit makes it; the number of new objects."""
    before = await ledger.index.keys()
    return await ledger.index.replace(before, (await take_inventory(ledger, by_index=False)).recorded)


async def surveyed(ledger: Ledger) -> Survey[Newest]:
    return await survey(ledger, lambda: Newest(None, lambda _: True))


def mark(video: str, verdict: str | None, minute: int = 0, note: str = "") -> Mark:
    at = f"2026-11-27T13:{minute:02}:00Z"
    return Mark.model_validate({"id": video, "mark": verdict, "at": at, "note": note, "who": "Ann"})


def seen(entries: Iterable[Entry]) -> list[Entry]:
    """What lists show: not whether the record was listed when its line was written."""
    return [entry._replace(size=0, written=0) for entry in entries]


async def same_as_a_scan(ledger: Ledger) -> Inventory:
    """The inventory by the index, which is that without it, and that of a survey."""
    quick, scan = await take_inventory(ledger), await take_inventory(ledger, by_index=False)
    assert quick.videos == scan.videos
    assert sorted(quick.recorded) == sorted(scan.recorded)
    assert seen((await surveyed(ledger)).found.entries) == seen(scan.videos)
    return quick


async def test_whatever_happens_the_index_gives_what_a_scan_gives(ledger: Ledger) -> None:
    """Records, marks and purchases that come later; records that change, come late or are gone; two months."""
    fox = await record(ledger, "a fox")
    owl = await record(ledger, "an owl", days=40, state="failed", error="no")
    assert (await same_as_a_scan(ledger)).read == 2
    kept = await ledger.keep_marks(
        [mark(fox, "star"), mark(owl, "reject", note="dark"), mark("f" * 24, "star")]
    )
    assert [len(found) for found in (kept.written, kept.unchanged, kept.unknown)] == [2, 0, 1]
    again = await ledger.keep_marks([mark(fox, "star")])
    assert (len(again.written), len(again.unchanged)) == (0, 1)

    assert await rebuilt(ledger) == 2
    assert await rebuilt(ledger) == 0
    found = await same_as_a_scan(ledger)
    assert (found.read, [(one.mark, one.note) for one in found.videos]) == (
        0,
        [("star", ""), ("reject", "dark")],
    )

    # Later than the index: another mark, one taken back, a record, a purchase in flight.
    await ledger.keep_marks([mark(fox, None, 5), mark(owl, None, 5, note="better"), mark(fox, "reject", 4)])
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

    # One that was given up comes after all.
    await rebuilt(ledger)
    hare = await record(ledger, "a hen", state="abandoned", error="given up, at some length")
    await record(ledger, "a hen", late=True, cost_usd=Decimal(2))
    found = await same_as_a_scan(ledger)
    assert [one.cost for one in found.videos if one.id == hare] == ["2"]
    assert not (await surveyed(ledger)).is_slow


async def test_what_somebody_changes_by_hand_is_seen_by_the_next_audit(ledger: Ledger) -> None:
    """A record that is replaced, or gone: the index says what it said until it is made from the records again."""
    fox, owl = await record(ledger, "a fox"), await record(ledger, "an owl")
    await rebuilt(ledger)
    await ledger.store.delete([ledger.layout.record(fox), ledger.layout.record(owl)])
    await record(ledger, "a fox", state="failed", error="no")
    assert {one.state for one in (await surveyed(ledger)).found.entries} <= {"archived", "failed"}
    assert [one.state for one in (await take_inventory(ledger)).videos] == ["failed"]
    await rebuilt(ledger)
    assert [one.state for one in (await same_as_a_scan(ledger)).videos] == ["failed"]


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
    await ledger.keep_marks([mark(fox, "reject")])
    found = await same_as_a_scan(ledger)
    assert [(one.id, one.cost, one.mark) for one in found.videos] == [(fox, "0.28", "reject")]

    await rebuilt(ledger)
    keys = [one.key for one in await ledger.store.list(ledger.layout.index())]
    assert len(keys) == 3
    assert ledger.layout.index("2026-11", "notes.txt") in keys
    assert (await same_as_a_scan(ledger)).read == 0
    assert not (await surveyed(ledger)).is_slow


@pytest.mark.parametrize("lost", ["all", "complete.json", "an object in another's place", "too many lines"])
async def test_a_complete_index_that_is_damaged_is_only_slow(ledger: Ledger, lost: str) -> None:
    """If the index is lost or broken, lists come from the records."""
    await record(ledger, "a fox")
    await record(ledger, "an owl", days=40)
    await rebuilt(ledger)
    keys = sorted(one.key for one in await ledger.store.list(ledger.layout.index()))
    if lost == "all":
        await ledger.store.delete(keys)
    elif lost == "complete.json":
        await ledger.store.delete(keys[-1:])
    else:
        await ledger.store.delete(keys[:1])
        await ledger.store.put_once(keys[0], b"no gzip" if "object" in lost else b"x" * (17 * 2**20))
    found = await surveyed(ledger)
    assert (found.is_slow, len(found.found.entries)) == (True, 2)
    await same_as_a_scan(ledger)


async def test_small_objects_are_merged(ledger: Ledger) -> None:
    """Each purchase adds an object; a collector makes one of those of a month, and lists stay as they are."""
    await rebuilt(ledger)
    for number in range(9):
        await record(ledger, f"fox {number}")
    starred = await record(ledger, "an owl", days=40)
    await ledger.keep_marks([mark(starred, "star")])
    before = await same_as_a_scan(ledger)
    assert len(await ledger.index.keys()) == 11
    assert await ledger.index.merge()
    assert len(await ledger.index.keys()) == 3
    assert (await same_as_a_scan(ledger)).videos == before.videos
    await rebuilt(ledger)
    assert len(await ledger.index.keys()) == 2


async def test_merging_beside_readers_and_writers_loses_no_line(ledger: Ledger) -> None:
    """A list read while objects are written, merged and removed has every record that was there before."""
    await rebuilt(ledger)
    for number in range(12):
        await record(ledger, f"fox {number}")

    async def add(number: int) -> None:
        await record(ledger, f"owl {number}")

    reads = await asyncio.gather(
        surveyed(ledger),
        ledger.index.merge(),
        *(add(number) for number in range(9)),
        surveyed(ledger),
        ledger.index.merge(),
        rebuilt(ledger),
        surveyed(ledger),
    )
    for read in reads:
        if isinstance(read, Survey):
            assert {f"fox {number}" for number in range(12)} <= {one.prompt for one in read.found.entries}
    await ledger.index.merge()
    assert len((await same_as_a_scan(ledger)).videos) == 21


async def test_two_rebuilds_that_race_lose_no_line_for_a_reader(ledger: Ledger) -> None:
    """Each writes before it removes, so the list equals a scan, whatever was left over."""
    await record(ledger, "a fox")
    await rebuilt(ledger)
    before, older = await ledger.index.keys(), (await take_inventory(ledger)).recorded
    await record(ledger, "an owl")
    later, newer = await ledger.index.keys(), (await take_inventory(ledger)).recorded
    await asyncio.gather(
        ledger.index.replace(before, older),
        ledger.index.replace(later, newer),
        same_as_a_scan(ledger),
        ledger.index.replace(later, newer),
    )
    await same_as_a_scan(ledger)
    await rebuilt(ledger)
    assert (await same_as_a_scan(ledger)).read == 0


async def test_an_object_that_a_rebuild_removes_is_looked_for_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader has listed the old object; when it reads, the new one is there instead."""
    await record(ledger, "a fox")
    await rebuilt(ledger)
    await record(ledger, "an owl")
    before, recorded = await ledger.index.keys(), (await take_inventory(ledger)).recorded
    get, is_first = ledger.store.get, True

    async def rebuilt_before(key: str) -> Any:
        nonlocal is_first
        if is_first and "/index/" in key:
            is_first = False
            await ledger.index.replace(before, recorded)
        return await get(key)

    monkeypatch.setattr(ledger.store, "get", rebuilt_before)
    found = await surveyed(ledger)
    assert (found.is_slow, len(found.found.entries)) == (False, 2)
    assert (await take_inventory(ledger)).read == 0


async def test_one_of_all_collectors_makes_the_index_in_six_hours(ledger: Ledger) -> None:
    """None does where there is nothing to list, and none that of a large archive."""
    assert not await ledger.index.may_be_made(NOW)
    await record(ledger, "a fox")
    turns = await asyncio.gather(*(ledger.index.may_be_made(NOW) for _ in range(3)))
    assert sorted(turns) == [False, False, True]
    assert not await ledger.index.may_be_made(NOW + timedelta(hours=5))
    assert await ledger.index.may_be_made(NOW + timedelta(hours=6))
    assert len(await ledger.store.list(ledger.layout.index("turns", ""))) == 1


async def test_marks_of_a_stranger_are_passed_over(ledger: Ledger) -> None:
    """A newer name with other content does not hide the mark that is ours; stray keys are named by the audit."""
    fox = await record(ledger, "a fox")
    await ledger.keep_marks([mark(fox, "star", 1)])
    forged = mark(fox, "reject", 9).object_name
    for name in (forged, "20261127T130000Z.json"):
        await ledger.store.put_once(ledger.layout.review(fox, name), mark(fox, "reject", 8).content)
    assert (await ledger.reviews.of([fox]))[fox].mark == "star"
    await rebuilt(ledger)
    assert (await same_as_a_scan(ledger)).videos[0].mark == "star"
    with audit_book() as book:
        listing = ArchiveListing(ledger, book)
        await listing.list_marks()
    assert [key.rpartition("/")[2] for key in listing.foreign] == ["20261127T130000Z.json"]
