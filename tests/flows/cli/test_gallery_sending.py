"""What `gallery` makes for people without access: a shared page, a ZIP file, a contact sheet, a moving preview."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import av
import httpx
import pytest
from PIL import Image, ImageStat

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.cli.galleries import gallery_pictures, gallery_zip
from prefect_together_video.flows.cli.galleries.chosen import Chosen
from prefect_together_video.flows.cli.galleries.gallery_export import choose
from prefect_together_video.flows.engine.audit_run import audit
from prefect_together_video.flows.reporting import shared_page
from tests.facts import record_of
from together_video.errors import ArchiveError, DownloadError, InputError
from together_video.gallery.page import ROWS_A_PAGE
from together_video.ledger.records import StoredObject, VideoPlan, VideoRecord
from together_video.media.clips import ClipInfo
from together_video.requests import VideoRequest

pytestmark = pytest.mark.anyio

BATCH = "20261126T195055-0d074f"
PROMPTS = ("a fox in the snow", "灯台 & <b>sea</b>", "an owl")


def clip_of(shade: int) -> bytes:
    """A clip of a second: its left half is dark, its right half has the shade."""
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = Image.new("RGB", (64, 48))
        picture.paste((shade, shade, shade), (32, 0, 64, 48))
        for index in range(12):
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = index, Fraction(1, 8)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return written.getvalue()


def poster_of(shade: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, shade, shade)).save(written, "JPEG")
    return written.getvalue()


async def keep(ledger: Ledger, key: str, data: bytes, kind: str) -> StoredObject:
    sha256 = hashlib.sha256(data).hexdigest()
    await ledger.store.put_file_once(key, data, sha256, kind)
    return StoredObject(key=key, size=len(data), sha256=sha256, content_type=kind)


async def fill(archive: VideoArchive, *, posters: bool = True) -> list[VideoRecord]:
    """A batch of three videos in the archive and one that failed; gives the records of the three."""
    made = []
    async with archive.open() as ledger:
        for number, prompt in enumerate(PROMPTS):
            plan = VideoPlan(request=VideoRequest(model="m/x", prompt=prompt))
            stem = ledger.layout.key("videos", f"2026-11-26/clip {number}:x")
            shade = 100 + 70 * number
            record = record_of(
                plan,
                state="archived",
                recorded_at=datetime.now(UTC),
                video=await keep(ledger, f"{stem}.mp4", clip_of(shade), "video/mp4"),
                poster=await keep(ledger, f"{stem}.jpg", poster_of(shade), "image/jpeg") if posters else None,
                clip=ClipInfo(seconds=1.5, width=64, height=48, fps=8, codec="h264"),
            )
            made.append(record)
            await ledger.store.put_once(ledger.layout.record(plan.id), record.model_dump_json().encode())
        rows = [
            {
                "id": record.id,
                "state": "archived",
                "model": "m/x",
                "prompt": record.plan.request.prompt,
                "key": record.video and record.video.key,
                "width": 64,
                "height": 48,
            }
            for record in made
        ]
        rows.append({"id": "a" * 24, "state": "failed", "model": "m/x", "prompt": "a hare", "error": "No."})
        heading = {"title": "Animals\x07 of the north", "run_url": "https://prefect.example/runs/1"}
        body = json.dumps({**heading, "videos": rows}).encode()
        await ledger.store.put_once(ledger.layout.batch(BATCH, "batch.json"), body)
    return made


async def with_batch(archive: VideoArchive, work: Callable[[Ledger, Chosen], Any]) -> Any:
    async with archive.open() as ledger:
        return await work(ledger, await choose(ledger, given=BATCH, latest=1))


def opened(address: str) -> httpx.Response:
    return httpx.get(address, trust_env=False)


def addresses(page: str) -> list[str]:
    return [one.replace("&amp;", "&") for one in re.findall(r'(?:src|poster|href)="(http[^"]+)"', page)]


async def test_a_shared_page_opens_without_keys(archive: VideoArchive) -> None:
    """The page is HTML for a browser, its media open for as long as was asked, and the audit finds nothing wrong."""
    await fill(archive)

    async def share(ledger: Ledger, chosen: Chosen) -> shared_page.SharedPage:
        made = await shared_page.share_page(
            ledger,
            chosen.name,
            chosen.title,
            [row.model_copy(update={"mark": "reject", "note": "too dull"}) for row in chosen.rows],
            chosen.summary,
            chosen.sentence,
            seconds=43_200,
            about=chosen.about,
        )
        assert (await audit(ledger, deep=True)).findings == ()
        return made

    shared = await with_batch(archive, share)
    assert re.fullmatch(rf"shared/{BATCH}/\d{{8}}T\d{{6}}-[0-9a-f]{{32}}\.html", shared.key)
    assert timedelta(hours=11) < shared.ends_at - datetime.now(UTC) <= timedelta(hours=12)
    answer = opened(shared.url)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "attachment" not in answer.headers.get("content-disposition", "")
    assert "<h1" in answer.text
    assert re.search(r"<title>Animals\W* of the north</title>", answer.text)
    media = set(addresses(answer.text))
    assert len(media) == 6
    for address in media:
        assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["43200"]
        content = opened(address).content
        assert content[4:8] == b"ftyp" or content[:2] == b"\xff\xd8"
    # What is for the team alone: where its Prefect server is, and what its reviewers wrote.
    assert "prefect.example" not in answer.text
    assert "too dull" not in answer.text


async def test_hundreds_of_videos_are_shared_on_pages_that_lead_to_each_other(archive: VideoArchive) -> None:
    """Each neighbour is signed too; none can be guessed from another's name without its token."""
    await fill(archive)

    async def share(ledger: Ledger, chosen: Chosen) -> shared_page.SharedPage:
        rows = chosen.rows * (ROWS_A_PAGE // 4) + chosen.rows[:1]
        return await shared_page.share_page(
            ledger, "newest", "Many", rows, chosen.summary, chosen.sentence, seconds=60
        )

    shared = await with_batch(archive, share)
    assert (shared.videos, shared.pages) == (ROWS_A_PAGE + 1, 2)
    first = opened(shared.url).text
    (following,) = {one.replace("&amp;", "&") for one in re.findall(r'rel="next" href="([^"]+)"', first)}
    second = opened(following)
    assert second.status_code == 200
    assert second.text.count("<article") == 1
    (before,) = {one.replace("&amp;", "&") for one in re.findall(r'rel="prev" href="([^"]+)"', second.text)}
    assert opened(before).text == first


@pytest.mark.parametrize("days", [0, -1, 7.001, float("nan"), float("inf"), 1e-9])
def test_no_other_time_can_be_asked_for(days: float) -> None:
    """S3 signs for seven days at most."""
    with pytest.raises(InputError, match="at most 7 days"):
        shared_page.check_days(days)
    assert shared_page.check_days(0.5) == 43_200


@pytest.mark.parametrize("options", [("--share", "1"), ("--share", "0.5", "--zip", "a.zip")])
def test_a_folder_cannot_be_shared(command: Any, tmp_path: Path, options: tuple[str, ...]) -> None:
    """One sentence says so and what to use instead; nothing is written."""
    (tmp_path / "archive").mkdir()
    asyncio.run(fill(VideoArchive(folder=str(tmp_path / "archive"))))
    before = {path for path in tmp_path.rglob("*") if "spool" not in path.parts}
    options = tuple(str(tmp_path / one) if one == "a.zip" else one for one in options)
    done = command("gallery", BATCH, *options, "--archive-folder", str(tmp_path / "archive"))
    said = " ".join(done.err.split())
    assert (done.code, done.out) == (2, "")
    assert "only be shared from an archive in an S3 bucket" in said
    assert "--zip FILE.zip" in said
    assert {path for path in tmp_path.rglob("*") if "spool" not in path.parts} == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--share", "8"), "at most 7 days"),
        (("--zip", "a.tar"), "--zip takes a file name that ends in .zip, not 'a.tar'."),
        (
            ("--contact-sheet", "a.png"),
            "--contact-sheet takes a file name that ends in .jpg or .jpeg, not 'a.png'.",
        ),
        (("--gif", "a"), "--gif takes a file name that ends in .gif or .webp, not 'a'."),
        (("--gif", "a.gif", "--links"), "--links is for a page in a folder"),
    ],
)
def test_wrong_options_are_refused_at_once(
    command: Any, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    """Before the archive is opened."""
    done = command("gallery", *options, "--archive-folder", str(tmp_path / "none"))
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.split())
    assert not (tmp_path / "none").exists()


def test_all_of_it_at_once(command: Any, tmp_path: Path) -> None:
    """The command names each file, for a program too, and makes no folder."""
    archive = tmp_path / "archive"
    archive.mkdir()
    asyncio.run(fill(VideoArchive(folder=str(archive))))
    out = tmp_path / "out"
    out.mkdir()
    files = {"zip": out / "a.zip", "contact_sheet": out / "b.jpg", "preview": out / "c.WEBP"}
    options = ["--zip", str(files["zip"]), "--contact-sheet", str(files["contact_sheet"])]
    options += ["--gif", str(files["preview"]), "--archive-folder", str(archive)]
    done = command("gallery", BATCH, *options)
    assert (done.code, done.out.splitlines()) == (0, [str(path) for path in files.values()]), done.err
    assert "The preview shows 3 of 4 videos." in done.err
    said = json.loads(command("gallery", BATCH, "--json", *options).out)
    expected = {name: str(path) for name, path in files.items()}
    assert said == {"videos": 4, **expected, "preview_clips": 3, "missing": []}
    assert sorted(path.name for path in out.iterdir()) == ["a.zip", "b.jpg", "c.WEBP"]
    with Image.open(files["contact_sheet"]) as sheet, Image.open(files["preview"]) as preview:
        assert (sheet.format, preview.format) == ("JPEG", "WEBP")


async def test_a_zip_file_opens_from_disk(archive: VideoArchive, tmp_path: Path) -> None:
    """Page, videos and posters are in it under names for any system, and the page's links lead to them."""
    made = await fill(archive)
    file = tmp_path / "out.zip"
    missing = await with_batch(archive, lambda ledger, chosen: gallery_zip.write_zip(ledger, chosen, file))
    assert missing == []
    with zipfile.ZipFile(file) as found:
        assert found.testzip() is None
        names = set(found.namelist())
        assert names == {
            "index.html",
            *(
                f"videos/2026-11-26/clip {number}_x.{ending}"
                for number in range(3)
                for ending in ("mp4", "jpg")
            ),
        }
        page = found.read("index.html").decode()
        links = {unquote(one) for one in re.findall(r'(?:src|poster)="([^"]+)"', page)}
        assert links == names - {"index.html"}
        for number, record in enumerate(made):
            content = found.read(f"videos/2026-11-26/clip {number}_x.mp4")
            assert record.video is not None
            assert hashlib.sha256(content).hexdigest() == record.video.sha256
    assert [path.name for path in file.parent.iterdir()] == ["out.zip"]


@pytest.mark.parametrize("at", ["zip", "copy"])
async def test_a_full_disk_leaves_no_half_zip_file(
    archive: VideoArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """One sentence, and what was there before is there still."""
    await fill(archive)
    file = tmp_path / "out.zip"
    file.write_bytes(b"before")
    full = OSError(errno.ENOSPC, "No space left on device")

    def refuse(*_: Any, **__: Any) -> None:
        raise full

    if at == "zip":
        monkeypatch.setattr(zipfile.ZipFile, "write", refuse)
    else:
        monkeypatch.setattr("prefect_together_video.blocks.s3.store.write_pieces", refuse)
    with pytest.raises((DownloadError, ArchiveError), match="No space left on device") as caught:
        await with_batch(archive, lambda ledger, chosen: gallery_zip.write_zip(ledger, chosen, file))
    assert "Make room" in (caught.value.remedy or "")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.zip", b"before")]


async def test_what_the_archive_lacks_is_named(archive: VideoArchive, tmp_path: Path, s3_client: Any) -> None:
    """The others are in the ZIP file, and the page says of the missing one that it has no file."""
    made = await fill(archive)
    assert made[1].video is not None
    s3_client.delete_object(Bucket=archive.bucket, Key=made[1].video.key)
    file = tmp_path / "out.zip"
    missing = await with_batch(archive, lambda ledger, chosen: gallery_zip.write_zip(ledger, chosen, file))
    assert missing == [made[1].video.key]
    with zipfile.ZipFile(file) as found:
        assert len(found.namelist()) == 6


async def test_a_contact_sheet_shows_posters_and_states(archive: VideoArchive, tmp_path: Path) -> None:
    """A tile for each video in its order; the one that failed is plain, with its state."""
    await fill(archive)
    file = tmp_path / "sheet.jpg"
    count = await with_batch(
        archive, lambda ledger, chosen: gallery_pictures.contact_sheet(ledger, chosen, file)
    )
    assert count == 4
    with Image.open(file) as sheet:
        assert sheet.format == "JPEG"
        assert sheet.width == 2 * 24 + 2 * (320 + 12) - 12
        middles = [
            sheet.getpixel((24 + place % 2 * 332 + 160, 60 + place // 2 * 210 + 60))[0]  # type: ignore[index]
            for place in range(4)
        ]
    assert middles == pytest.approx([100, 170, 240, 225], abs=6)


@pytest.mark.parametrize("ending", ["gif", "webp"])
async def test_a_preview_moves_through_the_clips(archive: VideoArchive, tmp_path: Path, ending: str) -> None:
    """Some frames of each clip, one clip after the other, within a small picture."""
    await fill(archive, posters=False)
    file = tmp_path / f"preview.{ending}"
    count = await with_batch(archive, lambda ledger, chosen: gallery_pictures.preview(ledger, chosen, file))
    assert count == 3
    with Image.open(file) as found:
        assert found.width <= 320
        shades = []
        for number in range(found.n_frames):  # type: ignore[attr-defined]
            found.seek(number)
            frame = found.convert("L")
            box = (frame.width // 2, 10, frame.width // 2 + 20, frame.height - 10)
            shades.append(ImageStat.Stat(frame.crop(box)).mean[0])
    assert sorted(shades) == pytest.approx(shades)
    for shade in (100, 170, 240):
        assert any(abs(one - shade) < 12 for one in shades), shades


async def test_files_that_are_no_pictures_stop_nothing(archive: VideoArchive, tmp_path: Path) -> None:
    """Who can write to the bucket can put anything there: a plain tile, or one sentence where nothing is left."""
    async with archive.open() as ledger:
        plan = VideoPlan(request=VideoRequest(model="m", prompt="x"))
        key = ledger.layout.key("videos", "v")
        record = record_of(
            plan,
            state="archived",
            recorded_at=datetime.now(UTC),
            video=await keep(ledger, f"{key}.mp4", b"\0\0\0\x18ftypisom" + b"x" * 99, "video/mp4"),
            poster=await keep(ledger, f"{key}.jpg", b"\xff\xd8\xff\xe0" + b"x" * 99, "image/jpeg"),
        )
        await ledger.store.put_once(ledger.layout.record(plan.id), record.model_dump_json().encode())
        chosen = await choose(ledger, given=None, latest=3)
        assert await gallery_pictures.contact_sheet(ledger, chosen, tmp_path / "sheet.jpg") == 1
        with pytest.raises(InputError, match="None of the clips can be shown"):
            await gallery_pictures.preview(ledger, chosen, tmp_path / "preview.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.jpg"]


async def test_a_batch_in_a_folder_that_is_to_be_shared_buys_nothing(
    api: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before the first create: no video is paid for on the way to an error that was to be seen."""
    monkeypatch.setenv("TOGETHER_VIDEO_SPOOL", str(tmp_path / "spool"))
    request = VideoRequest(model="pixverse/pixverse-v5", prompt="a fox")
    archive = VideoArchive(folder=str(tmp_path / "archive"))
    state = await generate_batch.fn(
        requests=[request], share_days=2, together=api.credentials(), archive=archive
    )
    assert state.is_failed()
    assert "only be shared from an archive in an S3 bucket" in (state.message or "")
    assert api.charges == 0
