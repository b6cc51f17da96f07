"""An audit reads what is new or has changed, finds again what is wrong, and says how much was verified before."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from prefect_together_video.blocks.ledger.auditing.book import audit_book
from prefect_together_video.blocks.ledger.auditing.listing import ArchiveListing
from prefect_together_video.blocks.ledger.inventory import take_inventory
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.store.objects import ListedObject
from prefect_together_video.blocks.store.store import Store
from prefect_together_video.flows.engine.audit_run import audit
from prefect_together_video.flows.reporting.happenings import Happening, Phase, watching
from together_video.errors import BucketRefused
from together_video.ledger.audit import AuditReport
from together_video.ledger.index import Entry, packed, unpacked
from together_video.ledger.layout import Layout
from together_video.ledger.records import StoredObject, VideoPlan, VideoRecord
from together_video.ledger.reviews import Mark
from together_video.ledger.verified import Seen, checked, poster_key
from together_video.requests import VideoRequest

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MEDIA = f"media/{hashlib.sha256(b'a picture').hexdigest()}.png"


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store, Layout(prefix="films"))


@pytest.fixture
def asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the store is asked for what, by method and folder."""
    counts: Counter[str] = Counter()

    def counted(method: str) -> Any:
        ask = getattr(store, method)

        async def call(key: str) -> Any:
            counts[f"{method} {key.split('/')[1]}"] += 1
            return await ask(key)

        return call

    for method in ("get", "head", "content_sha256"):
        monkeypatch.setattr(store, method, counted(method))
    return counts


@pytest.fixture
def later(store: Store, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """By how many seconds later than it was written an object is listed, by the end of its key."""
    shifts: dict[str, int] = {}
    pages, list_first = store.pages, store.list_first

    def shifted(page: Sequence[ListedObject]) -> list[ListedObject]:
        seconds = (sum(by for end, by in shifts.items() if one.key.endswith(end)) for one in page)
        by = zip(page, seconds, strict=True)
        return [one._replace(written_at=one.written_at + timedelta(seconds=more)) for one, more in by]

    async def shifted_pages(prefix: str, *, after: str = "") -> AsyncIterator[list[ListedObject]]:
        async for page in pages(prefix, after=after):
            yield shifted(page)

    async def shifted_first(prefix: str, *, pages: int) -> tuple[list[ListedObject], bool]:
        listed, whole = await list_first(prefix, pages=pages)
        return shifted(listed), whole

    monkeypatch.setattr(store, "pages", shifted_pages)
    monkeypatch.setattr(store, "list_first", shifted_first)
    return shifts


async def put(ledger: Ledger, key: str, content: bytes) -> StoredObject:
    """An object that a record names: its bytes are verified by the store where it can."""
    sha256 = hashlib.sha256(content).hexdigest()
    assert await ledger.store.put_file_once(key, content, sha256, "video/mp4")
    return StoredObject(key=key, size=len(content), sha256=sha256, content_type="video/mp4")


async def archived(ledger: Ledger, prompt: str, *, media: str | None = None, **more: Any) -> VideoRecord:
    """A video with its poster and its record, as a run leaves them."""
    fields: dict[str, Any] = {"model": "m", "prompt": prompt}
    if media is not None:
        fields["media"] = {"reference_images": [f"archive:{media}"]}
    plan = VideoPlan(request=VideoRequest.model_validate(fields))
    stem = ledger.layout.key("videos", "2026-11-27", prompt.replace(" ", "-"))
    given = {
        "id": plan.id,
        "state": "archived",
        "plan": plan,
        "recorded_at": NOW,
        "cost_usd": Decimal("0.28"),
        "job_id": "j",
        "video": await put(ledger, f"{stem}.mp4", f"video of {prompt}".encode()),
        "poster": await put(ledger, f"{stem}.jpg", f"poster of {prompt}".encode()),
    }
    record = VideoRecord.model_validate(given | more)
    await ledger.store.put_once(ledger.layout.record(plan.id), record.model_dump_json().encode())
    return record


async def replaced(ledger: Ledger, key: str, content: bytes) -> None:
    """Other content under a key."""
    await ledger.store.delete([key])
    assert await ledger.store.put_once(key, content)


def found(report: AuditReport) -> list[tuple[str, str]]:
    return [(finding.kind, finding.key) for finding in report.findings]


async def index_keys(ledger: Ledger) -> list[str]:
    return [one.key for one in await ledger.store.list(ledger.layout.index())]


async def lines_of(ledger: Ledger) -> dict[str, Entry]:
    """The lines of the index by the id of the video."""
    lines: dict[str, Entry] = {}
    for key in await index_keys(ledger):
        if key.endswith(".gz"):
            stored = await ledger.store.get(key)
            assert stored is not None
            lines |= {line.id: line for line in unpacked(stored.data)}
    return lines


async def test_only_what_is_new_or_has_changed_is_read(
    ledger: Ledger, asked: Counter[str], later: dict[str, int]
) -> None:
    """Not what an earlier audit has verified, as long as each of its objects is listed as it was."""
    await put(ledger, ledger.layout.key(MEDIA), b"a picture")
    await archived(ledger, "a fox")
    owl = await archived(ledger, "an owl", media=MEDIA)
    await archived(ledger, "a hare", state="failed", video=None, poster=None)
    for name in ("a-hare.mp4", "a-hare.jpg"):
        await ledger.store.delete([ledger.layout.key("videos", "2026-11-27", name)])
    asked.clear()
    first = await audit(ledger)
    assert (first.findings, first.records, first.objects, first.verified_before) == ((), 3, 4, 0)
    assert asked == {"get records": 3, "head videos": 4}
    assert [(row.month, row.videos, row.failed, row.cost_usd) for row in first.spent] == [
        ("2026-11", 2, 1, Decimal("0.84"))
    ]
    keys = await index_keys(ledger)

    asked.clear()
    second = await audit(ledger)
    assert asked == {"get index": 1}
    assert second == first.model_copy(update={"verified_before": 3})
    assert second.sentence.startswith("3 records (3 verified before), 4 objects")
    assert await index_keys(ledger) == keys

    await archived(ledger, "a kite")
    later["an-owl.jpg"] = 60
    asked.clear()
    third = await audit(ledger)
    assert (third.findings, third.records, third.verified_before) == ((), 4, 2)
    assert asked == {"get index": 1, "get records": 2, "head videos": 4}

    for change in (f"{owl.id}.json", "an-owl.mp4", MEDIA):
        later[change] = 60
        assert (await audit(ledger)).verified_before == 3, change
        assert (await audit(ledger)).verified_before == 4, change


async def test_what_is_wrong_is_found_each_time(ledger: Ledger) -> None:
    """It is never taken for verified, and hides nothing of the others."""
    layout = ledger.layout
    await archived(ledger, "right")
    for prompt in ("no poster", "no video", "other size", "other bytes"):
        await archived(ledger, prompt)
    missing = [layout.key("videos", "2026-11-27", name) for name in ("no-poster.jpg", "no-video.mp4")]
    await ledger.store.delete(missing)
    sizes, bytes_ = (
        layout.key("videos", "2026-11-27", name) for name in ("other-size.mp4", "other-bytes.mp4")
    )
    await replaced(ledger, sizes, b"longer or shorter")
    await replaced(ledger, bytes_, b"VIDEO of other bytes")
    half = await archived(ledger, "half", video=None, poster=None)
    await archived(ledger, "no media", media=MEDIA)
    await ledger.store.put_once(layout.record("a" * 24), b"{}")
    stray = [
        layout.key("records", "x.json"),
        layout.key("reviews", "x"),
        layout.index("x"),
        layout.key("inflight", "x"),
    ]
    orphan = layout.key("videos", "stray.mp4")
    for key in (*stray, layout.key("spending", "x"), orphan):
        await ledger.store.put_once(key, b"stray")
    expected = {
        *(("missing", key) for key in (*missing, layout.key(MEDIA))),
        ("size", sizes),
        ("half-written", layout.record(half.id)),
        *(("orphan", layout.key("videos", "2026-11-27", f"half.{end}")) for end in ("mp4", "jpg")),
        ("unreadable", layout.record("a" * 24)),
        *(("foreign", key) for key in (*stray, layout.key("spending", "x"))),
        ("orphan", orphan),
    }
    # A folder knows no checksum without reading the file.
    by_metadata = {("checksum", bytes_)} if ledger.place.folder is None else set()
    for _ in range(3):
        report = await audit(ledger)
        assert sorted(found(report)) == sorted(expected | by_metadata)
    assert report.verified_before == (1 if by_metadata else 2)
    for full in (False, False, True):
        report = await audit(ledger, deep=True, full=full)
        assert sorted(found(report)) == sorted(expected | {("checksum", bytes_)})
    assert layout.index("complete.json") in await index_keys(ledger)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("content", [b"rubbish", b""])
async def test_a_spoiled_object_of_the_index_is_replaced(ledger: Ledger, content: bytes, full: bool) -> None:
    """It has the name of what belongs there, which is written once: left there, it would stay for ever."""
    await archived(ledger, "a fox")
    await audit(ledger)
    (key,) = [one for one in await index_keys(ledger) if one.endswith(".gz")]
    before = await lines_of(ledger)
    await replaced(ledger, key, content)
    assert (await audit(ledger, full=full)).findings == ()
    assert await lines_of(ledger) == before
    assert (await audit(ledger)).verified_before == 1


async def test_a_forged_index_hides_nothing_from_a_full_audit(ledger: Ledger, asked: Counter[str]) -> None:
    """Who can write to the archive can say that something was verified; `full` asks nobody."""
    fox = await archived(ledger, "a fox")
    assert fox.video is not None
    await audit(ledger)
    await replaced(ledger, fox.video.key, b"something else instead")
    assert found(await audit(ledger)) == [("size", fox.video.key)]
    (line,) = (await lines_of(ledger)).values()
    assert line.checked == ""
    with audit_book() as book:
        listing = ArchiveListing(ledger, book)
        await listing.list_files()
        objects = [
            (key, Seen(*book.one("SELECT size, written FROM files WHERE key = ?", key)))
            for key in (line.key or "", poster_key(line.key) or "")
        ]
    forged = line._replace(checked=checked(line.name, Seen(line.size, line.written), objects, deep=True))
    await ledger.store.delete(await index_keys(ledger))
    for name, data in packed([forged]):
        await ledger.store.put_once(ledger.layout.index(line.month, name), data)
    asked.clear()
    assert found(await audit(ledger)) == []
    assert found(await audit(ledger, deep=True)) == []
    assert asked == {"get index": 2}
    assert found(await audit(ledger, full=True)) == [("size", fox.video.key)]
    assert found(await audit(ledger)) == [("size", fox.video.key)]


async def test_a_deep_audit_reads_back_what_was_never_read_back(
    ledger: Ledger, asked: Counter[str], later: dict[str, int]
) -> None:
    """And what has changed since; what many records name is read once; with `full` everything is read."""
    await put(ledger, ledger.layout.key(MEDIA), b"a picture")
    await archived(ledger, "a fox", media=MEDIA)
    await archived(ledger, "an owl", media=MEDIA)
    await audit(ledger)

    async def read_back(**given: bool) -> tuple[int, int, int]:
        asked.clear()
        report = await audit(ledger, **given)
        assert report.findings == ()
        return report.verified_before, asked["content_sha256 videos"], asked["content_sha256 media"]

    assert await read_back(deep=True) == (0, 4, 1)
    assert await read_back(deep=True) == (2, 0, 0)
    assert await read_back() == (2, 0, 0)
    assert await read_back(deep=True) == (2, 0, 0)
    later["a-fox.jpg"] = 60
    assert await read_back() == (1, 0, 0)
    assert await read_back(deep=True) == (1, 2, 1)
    assert await read_back(deep=True, full=True) == (0, 4, 1)
    assert await read_back(full=True) == (0, 0, 0)
    assert await read_back(deep=True) == (0, 4, 1)


async def test_an_archive_that_cannot_be_written_is_audited(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archived(ledger, "a fox")

    async def refused(*_: Any) -> Any:
        raise BucketRefused("These credentials may read only.")

    monkeypatch.setattr(ledger.store, "put_once", refused)
    for _ in range(2):
        report = await audit(ledger)
        assert (report.findings, report.records, report.verified_before) == ((), 1, 0)
    assert await index_keys(ledger) == []


async def test_the_index_is_that_of_a_scan(ledger: Ledger) -> None:
    """Also where marks come and go; an audit that finds nothing new writes nothing."""
    fox = await archived(ledger, "a fox")
    await archived(
        ledger, "an owl", recorded_at=NOW - timedelta(days=60), claimed_at=NOW - timedelta(days=60)
    )

    async def mark(verdict: str | None, minute: int) -> None:
        at = f"2026-11-27T13:{minute:02}:00Z"
        given = Mark.model_validate({"id": fox.id, "mark": verdict, "at": at, "who": "Ann"})
        await ledger.reviews.keep([given])

    for number, verdict in enumerate(("star", "reject", None)):
        await mark(verdict, number)
        await audit(ledger)
        quick, scan = await take_inventory(ledger), await take_inventory(ledger, by_index=False)
        assert (quick.read, quick.videos[0].mark) == (0, verdict)
        assert [one._replace(checked="") for one in quick.videos] == scan.videos
        keys = await index_keys(ledger)
        assert len(keys) == 3
        await audit(ledger)
        assert await index_keys(ledger) == keys
    await ledger.store.delete([one.key for one in await ledger.store.list(ledger.layout.key("reviews", ""))])
    await audit(ledger)
    assert (await lines_of(ledger))[fox.id].review is None


async def test_small_objects_of_a_month_become_one(ledger: Ledger) -> None:
    """Runs write one each; what is in them is kept, whatever else the index has of the same record."""
    for number in range(3):
        await archived(ledger, f"fox {number}")
    await audit(ledger)
    lines = list((await lines_of(ledger)).values())
    await ledger.store.delete([key for key in await index_keys(ledger) if key.endswith(".gz")])
    older = lines[0]._replace(checked="")
    for few in ([lines[0]], [older, lines[1]], lines[2:]):
        for name, data in packed(few):
            await ledger.store.put_once(ledger.layout.index("2026-11", name), data)
    assert (await audit(ledger)).verified_before == 3
    assert len(await index_keys(ledger)) == 2
    assert sorted((await lines_of(ledger)).values()) == sorted(lines)


async def test_what_a_run_adds_meanwhile_stays(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects of the index that came after the listing are not removed, and the marker comes before any removal."""
    await archived(ledger, "a fox")
    await audit(ledger)
    await archived(ledger, "an owl")
    steps: list[tuple[str, str]] = []
    put_once, delete, pages = ledger.store.put_once, ledger.store.delete, ledger.store.pages
    new = ledger.layout.index("2026-11", f"{'e' * 32}.json.gz")
    old = [key for key in await index_keys(ledger) if key.endswith(".gz")]
    await delete([ledger.layout.index("complete.json")])

    async def listed(prefix: str, *, after: str = "") -> AsyncIterator[list[ListedObject]]:
        if prefix.endswith("media/"):
            await put_once(new, b"of a run")
        async for page in pages(prefix, after=after):
            yield page

    async def put(key: str, *more: Any) -> bool:
        steps.append(("put", key))
        return await put_once(key, *more)

    async def remove(keys: Any) -> None:
        removed = list(keys)
        steps.extend(("delete", key) for key in removed)
        await delete(removed)

    for name, patched in (("pages", listed), ("put_once", put), ("delete", remove)):
        monkeypatch.setattr(ledger.store, name, patched)
    await audit(ledger)
    assert new in await index_keys(ledger)
    assert [step for step, _ in steps] == ["put", "put", "delete"]
    assert [key for _, key in steps[1:]] == [ledger.layout.index("complete.json"), *old]


async def test_a_video_that_is_archived_meanwhile_is_no_finding(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record is listed, and its file was not yet."""
    await archived(ledger, "a fox")
    list_records = ArchiveListing.list_records

    async def late(listing: ArchiveListing) -> None:
        await archived(ledger, "an owl")
        await list_records(listing)

    with monkeypatch.context() as patch:
        patch.setattr(ArchiveListing, "list_records", late)
        report = await audit(ledger)
        assert (report.findings, report.records, report.objects) == ((), 2, 2)
    # What was not listed was not seen to be as it was verified.
    assert (await audit(ledger)).verified_before == 1
    assert (await audit(ledger)).verified_before == 2


async def test_a_display_says_what_is_read(ledger: Ledger) -> None:
    for prompt in ("a fox", "an owl"):
        await archived(ledger, prompt)
    seen: list[Happening] = []
    with watching(seen.append):
        await audit(ledger)
        await archived(ledger, "a kite")
        await audit(ledger)
    words = [one.words for one in seen if isinstance(one, Phase)]
    assert words == [
        "Listing the archive",
        "Verifying 2 records",
        "Rebuilding the index",
        "Listing the archive",
        "Verifying 1 record; 2 were verified before",
        "Rebuilding the index",
    ]


@pytest.mark.parametrize(
    "line", [{"size": 2**70}, {"written": -(2**70)}, {"key": "/"}, {"key": ""}, {"review": "x"}]
)
async def test_odd_lines_of_the_index_stop_nothing(line: dict[str, Any], ledger: Ledger) -> None:
    await archived(ledger, "a fox")
    await audit(ledger)
    (known,) = (await lines_of(ledger)).values()
    for name, data in packed([known._replace(**line)]):
        await ledger.store.put_once(ledger.layout.index("2026-11", name), data)
    await ledger.store.put_once(ledger.layout.index("2026-10", f"{'0' * 32}.json.gz"), b"no gzip")
    assert (await audit(ledger)).findings == ()
    assert (await lines_of(ledger)) == {known.id: known}
