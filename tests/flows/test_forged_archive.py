"""Objects in the archive that somebody else has written: nothing leaves its folder, and nothing stops the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.s3 import store as s3_store
from prefect_together_video.flows.cli.galleries import shared_links
from prefect_together_video.flows.cli.galleries.gallery_export import Export, choose, export
from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.flows.engine.audit_run import audit
from prefect_together_video.flows.reporting.results import result_of
from tests.facts import record_of
from together_video.errors import ArchiveError, DownloadError, InputError
from together_video.ledger.records import StoredObject, VideoPlan, VideoRecord
from together_video.requests import VideoRequest

pytestmark = pytest.mark.anyio

BATCH = "20261126T195055-0d074f"
NOW = datetime.now(UTC)


def plan(prompt: str) -> VideoPlan:
    return VideoPlan(request=VideoRequest(model="m", prompt=prompt))


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOGETHER_VIDEO_SPOOL", str(tmp_path / "spool"))
    return tmp_path / "spool"


async def archived(ledger: Ledger) -> tuple[VideoRecord, StoredObject]:
    """A video that is in the archive, as it should be."""
    one = plan("a fox")
    video = StoredObject(
        key=ledger.layout.key("videos", "v.mp4"), size=3, sha256="ab", content_type="video/mp4"
    )
    await ledger.store.put_once(video.key, b"abc", "video/mp4")
    record = record_of(one, state="archived", recorded_at=NOW, video=video)
    await ledger.store.put_once(ledger.layout.record(one.id), record.model_dump_json().encode())
    return record, video


async def exported(ledger: Ledger, folder: Path, batch: str | None, latest: int) -> Export:
    chosen = await choose(ledger, given=batch, latest=latest)
    return await export(ledger, folder, chosen, link_seconds=None)


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "forged", [{"id": "../../../x"}, {"token": "../../x"}, {"video_key": "../../../x.mp4"}], ids=str
)
async def test_collect_writes_nothing_outside_for_a_forged_claim(
    forged: dict[str, str], api: Any, archive: VideoArchive, spool: Path, tmp_path: Path
) -> None:
    """It reports a claim that this project did not write, and continues with the others."""
    api.says(
        {"id": "job-1", "status": "completed", "outputs": {"video_url": "http://127.0.0.1:1/v.mp4"}}
    ) if hasattr(api, "says") else None
    async with archive.open() as ledger:
        claim = await ledger.claim(plan("a fox"), valid_seconds=60)
        assert claim is not None
        document = {**json.loads(claim.model_dump_json()), **forged}
        key = ledger.layout.claim(claim.id)
        await ledger.store.delete([key])
        await ledger.store.put_once(key, json.dumps(document).encode())
        before = files_of(tmp_path)
        state = await collect_videos.fn(together=api.credentials(), archive=archive)
        summary = result_of(state.data)
        (row,) = summary.videos
        assert "is not what this project wrote" in (row.error or "")
        assert files_of(tmp_path) == before
        findings = (await audit(ledger, deep=False)).findings
        assert [found.kind for found in findings] == ["unreadable"]


async def test_a_claim_under_the_name_of_another_purchase_is_none(archive: VideoArchive) -> None:
    async with archive.open() as ledger:
        claim = await ledger.claim(plan("a fox"), valid_seconds=60)
        assert claim is not None
        await ledger.store.put_once(ledger.layout.claim("b" * 24), claim.model_dump_json().encode())
        with pytest.raises(ArchiveError, match="it is about"):
            await ledger.facts("b" * 24)


@pytest.mark.parametrize("key", ["/etc/cron.d/x", "../outside.mp4", "videos/../../outside.mp4", "a\\..\\b\n"])
async def test_a_gallery_of_a_forged_batch_is_refused(
    key: str, archive: VideoArchive, tmp_path: Path
) -> None:
    row = {"id": "a" * 24, "state": "archived", "model": "m", "key": key}
    async with archive.open() as ledger:
        body = json.dumps({"videos": [row]}).encode()
        await ledger.store.put_once(ledger.layout.batch(BATCH, "batch.json"), body)
        with pytest.raises(ArchiveError, match="was not written by this project"):
            await exported(ledger, tmp_path / "g", BATCH, 1)
    assert files_of(tmp_path) == set()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"videos": 3}', b'{"videos": [{}]}', b"\xff", b"[" * 10_000]
)
async def test_any_batch_file_gives_a_sentence(body: bytes, archive: VideoArchive, tmp_path: Path) -> None:
    async with archive.open() as ledger:
        await ledger.store.put_once(ledger.layout.batch(BATCH, "batch.json"), body)
        with pytest.raises(ArchiveError, match=r"batch\.json was not written by this project"):
            await exported(ledger, tmp_path / "g", BATCH, 1)


@pytest.mark.parametrize("batch", ["..", "../x", "20261126T195055-0d074f/..", "", "x" * 2000, "a\nb"])
async def test_no_batch_has_such_a_name(batch: str, archive: VideoArchive, tmp_path: Path) -> None:
    async with archive.open() as ledger:
        with pytest.raises(InputError, match="There is no batch"):
            await exported(ledger, tmp_path / "g", batch, 1)


async def test_a_symbolic_link_in_the_gallery_is_not_written_through(
    archive: VideoArchive, tmp_path: Path
) -> None:
    """Neither where the file would lie, nor on the way to it."""
    folder, elsewhere = tmp_path / "gallery", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("mine")
    (folder / "index.html").symlink_to(elsewhere / "precious")
    async with archive.open() as ledger:
        _, video = await archived(ledger)
        page = (await exported(ledger, folder, None, 1)).page
        assert page.is_file()
        assert not page.is_symlink()
        assert (elsewhere / "precious").read_text() == "mine"
        top = folder / video.key.split("/")[0]
        for path in sorted(top.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        top.rmdir()
        top.symlink_to(elsewhere)
        with pytest.raises(DownloadError, match="outside"):
            await exported(ledger, folder, None, 1)
        assert files_of(elsewhere) == {"precious"}


async def test_one_forged_record_does_not_hide_the_others(archive: VideoArchive, tmp_path: Path) -> None:
    async with archive.open() as ledger:
        record, video = await archived(ledger)
        await ledger.store.put_once(ledger.layout.record("a" * 24), b"{}")
        forged = json.loads(record.model_dump_json()) | {
            "id": "c" * 24,
            "video": {**video.model_dump(), "key": "/etc/x"},
        }
        await ledger.store.put_once(ledger.layout.record("c" * 24), json.dumps(forged).encode())
        await ledger.store.put_once(ledger.layout.key("records", "notes.txt"), b"hello")
        made = await exported(ledger, tmp_path / "g", None, 5)
        assert made.videos == 1


STRAY = [
    *("2026-11/…-reserved-²", "2026-11/x-y-reserved-9", "2026-11/" + "a" * 24 + "-recorded-paid-²", "x"),
    "2026-11/" + "a" * 24 + "-recorded-paid-" + "9" * 30,
]


async def test_stray_keys_stop_nothing_and_are_named(
    api: Any, archive: VideoArchive, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Buying, collecting and auditing pass over what this project does not write."""
    archive = archive.model_copy(update={"monthly_limit_usd": Decimal(1)})
    month = f"{NOW:%Y-%m}"
    async with archive.open() as ledger:
        layout = ledger.layout
        keys = [layout.key("spending", name.replace("2026-11", month)) for name in STRAY]
        keys += [
            layout.key("records", "x.json"),
            layout.key("inflight", "x", "claim.json"),
            layout.key("inflight", "y"),
        ]
        for key in keys:
            await ledger.store.put_once(key, b"{}")
        assert await ledger.spending.reserve(plan("a fox").id, Decimal("0.2")) is not None
        assert "is not what this project writes there" in caplog.text
        state = await collect_videos.fn(together=api.credentials(), archive=archive)
        assert state.is_completed()
        findings = (await audit(ledger, deep=False)).findings
        assert {found.key for found in findings if found.kind == "foreign"} == set(keys)
        assert {found.kind for found in findings} == {"foreign"}


ODD = [
    {"claimed_at": "2026-11-27T00:00:00"},
    {"recorded_at": "2026-11-27T00:00:00"},
    {"recorded_at": "0001-01-01T00:00:00+14:00"},
    {"recorded_at": "9999-12-31T23:59:59-12:00"},
    {"cost_usd": "1e999999"},
    {"cost_usd": "0." + "1" * 100_000},
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
async def test_an_odd_record_stops_no_other_video(
    odd: dict[str, str], archive: VideoArchive, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither buying under a monthly limit, nor an audit, nor a gallery."""
    archive = archive.model_copy(update={"monthly_limit_usd": Decimal(1)})
    async with archive.open() as ledger:
        one = plan("a fox")
        record = record_of(one, state="failed", recorded_at=NOW, job_id="j")
        document = json.loads(record.model_dump_json()) | odd
        await ledger.store.put_once(ledger.layout.record(one.id), json.dumps(document).encode())
        await ledger.store.put_once(ledger.layout.job(one.id), b"{}")
        assert await ledger.spending.reserve(plan("an owl").id, Decimal("0.2")) is not None
        assert "is unreadable and does not count against the monthly limit" in caplog.text
        kinds = {found.kind for found in (await audit(ledger, deep=False)).findings}
        assert "unreadable" in kinds
        with pytest.raises(InputError, match="There is no video"):
            await exported(ledger, tmp_path / "g", None, 5)


async def test_a_huge_record_stops_no_other_video(
    archive: VideoArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_store, "LARGEST_FACT", 100)
    archive = archive.model_copy(update={"monthly_limit_usd": Decimal(1)})
    async with archive.open() as ledger:
        await ledger.store.put_once(ledger.layout.record("a" * 24), b" " * 101)
        assert await ledger.spending.reserve(plan("an owl").id, Decimal("0.2")) is not None


async def test_a_payment_without_a_record_is_named(archive: VideoArchive) -> None:
    """It counts, as a run may have died between the two; who stops all buying by it is found by an audit."""
    archive = archive.model_copy(update={"monthly_limit_usd": Decimal(1)})
    async with archive.open() as ledger:
        key = ledger.layout.spending(f"{NOW:%Y-%m}", f"{'a' * 24}-bbbbbbbb-paid-{'9' * 18}")
        await ledger.store.put_once(key, b"{}")
        (found,) = (await audit(ledger, deep=False)).findings
        assert (found.kind, found.key) == ("foreign", key)
        assert "no record has such a cost" in found.message


async def test_a_payment_of_more_than_its_record_is_named(archive: VideoArchive) -> None:
    archive = archive.model_copy(update={"monthly_limit_usd": Decimal(1)})
    async with archive.open() as ledger:
        one = plan("a fox")
        record = record_of(one, state="failed", recorded_at=NOW, cost_usd=Decimal("0.2"), job_id="j")
        await ledger.store.put_once(ledger.layout.record(one.id), record.model_dump_json().encode())
        month = f"{NOW:%Y-%m}"
        right, forged = (
            ledger.layout.spending(month, f"{one.id}-{'b' * 8}-paid-{n}") for n in (200_000, 900_000)
        )
        await ledger.store.put_once(right, b"{}")
        assert (await audit(ledger, deep=False)).findings == ()
        await ledger.store.put_once(forged, b"{}")
        assert {found.key for found in (await audit(ledger, deep=False)).findings} == {right, forged}


async def test_a_record_with_a_forged_reference_is_named(archive: VideoArchive) -> None:
    async with archive.open() as ledger:
        one = plan("a fox")
        record = record_of(one, state="failed", recorded_at=NOW)
        document = json.loads(record.model_dump_json())
        document["plan"]["request"]["media"] = {"reference_images": ["archive:media/../../x"]}
        await ledger.store.put_once(ledger.layout.record(one.id), json.dumps(document).encode())
        (found,) = (await audit(ledger, deep=False)).findings
        assert (found.kind, found.key) == ("unreadable", ledger.layout.record(one.id))


@pytest.mark.parametrize(
    "odd", [{"video": {"size": 10**400}}, {"clip": {"width": 10**400, "height": 1}}], ids=["size", "width"]
)
async def test_numbers_that_nobody_could_show_make_no_record(
    odd: dict[str, Any], archive: VideoArchive, tmp_path: Path
) -> None:
    async with archive.open() as ledger:
        one = plan("a fox")
        video = StoredObject(
            key=ledger.layout.key("videos", "v.mp4"), size=3, sha256="ab", content_type="video/mp4"
        )
        record = record_of(one, state="archived", recorded_at=NOW, video=video)
        document = json.loads(record.model_dump_json())
        for name, values in odd.items():
            document[name] = {**(document[name] or {}), **values}
        await ledger.store.put_once(ledger.layout.record(one.id), json.dumps(document).encode())
        with pytest.raises(InputError, match="There is no video"):
            await exported(ledger, tmp_path / "g", None, 5)


@pytest.mark.parametrize(
    "name", ["payroll.csv", ".ssh/authorized_keys", "videos/.x/y.mp4", "records/a.mp4", "videos/a.py"]
)
async def test_only_files_of_videos_are_shared_and_copied(
    name: str, archive: VideoArchive, tmp_path: Path
) -> None:
    """A forged record could name any object that the archive's credentials can read."""
    async with archive.open() as ledger:
        one = plan("a fox")
        key = ledger.layout.key(*name.split("/"))
        await ledger.store.put_once(key, b"secret")
        video = StoredObject(key=key, size=6, sha256="ab", content_type="video/mp4")
        record = record_of(one, state="archived", recorded_at=NOW, video=video)
        await ledger.store.put_once(ledger.layout.record(one.id), record.model_dump_json().encode())
        await exported(ledger, tmp_path / "g", None, 5)
        assert files_of(tmp_path) == {"g/index.html"}
        (link,) = await shared_links.make(ledger, [one.id], seconds=60)
        assert (link.link, link.file) == (None, None)
