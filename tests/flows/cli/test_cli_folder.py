"""The commands with an archive in a folder, and copies of videos in the user's own folder."""

import hashlib
import json
import random
from pathlib import Path

import pytest
from PIL import Image

from prefect_together_video.blocks import VideoArchive

SMALL = ("--model", "pixverse/pixverse-v5", "--width", "64", "--height", "48", "--seconds", "1", "--fps", "8")


def archive_of(shell):
    return shell.home / "Videos" / "together"


def row_of(done):
    (row,) = json.loads(done.stdout)["videos"]
    return row


def test_a_first_video_needs_a_key_and_a_folder(home_shell, api):
    """It is in the folder, the command ends with its path, and the same again costs nothing."""
    done = home_shell.run("generate", "a fox", *SMALL)
    assert done.returncode == 0, done.stderr
    (video,) = archive_of(home_shell).glob("videos/*/*.mp4")
    assert video.as_uri() in done.stdout
    assert done.stdout.splitlines()[-1] == f"Play: {video}"
    assert "bucket" not in (done.stdout + done.stderr).lower()
    row = row_of(home_shell.run("generate", "a fox", *SMALL, "--json"))
    assert (row["state"], row["bucket"], row["uri"], row["file"]) == (
        "reused",
        None,
        video.as_uri(),
        str(video),
    )
    assert row["sha256"] == hashlib.sha256(video.read_bytes()).hexdigest()
    assert api.charges == 1


def test_doctor_makes_no_folder(home_shell):
    """Else the run after it would not say that it begins a new archive where a disk may be missing."""
    checks = json.loads(home_shell.run("doctor", "--json").stdout)["checks"]
    (line,) = [check for check in checks if check["name"] == "Archive"]
    assert (line["state"], "There is no folder" in line["words"]) == ("warning", True)
    assert not archive_of(home_shell).exists()


@pytest.mark.parametrize("name", ["fox.webm", "fox.mov", "FOX.WEBM"])
def test_a_file_is_named_after_what_it_holds(home_shell, api, name):
    """An MP4 under another name would play nowhere, and be found out after it was paid for."""
    done = home_shell.run("generate", "a fox", *SMALL, "--output", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the video will be in MP4 format. Name it" in done.stderr
    assert api.charges == 0


def test_a_batch_and_what_looks_at_it(home_shell, small_file, api):
    """In a folder that the option names: the page opens from disk; collect, audit, doctor and gallery find it."""
    here = ("--archive-folder", "films")
    done = home_shell.run("batch", str(small_file("a fox", "a hare")), *here)
    assert done.returncode == 0, done.stderr
    assert not archive_of(home_shell).exists()
    films = home_shell.folder / "films"
    (page,) = films.glob("batches/*/index.html")
    assert f"Gallery: {page.as_uri()}" in done.stdout
    html = page.read_text()
    for video in films.glob("videos/*/*.mp4"):
        assert f"../../videos/{video.parent.name}/{video.name}" in html
    assert home_shell.run("collect", *here).stdout == "Nothing is in flight.\n"
    report = json.loads(home_shell.run("audit", "--json", "--deep", *here).stdout)
    assert (report["records"], report["objects"], report["findings"]) == (2, 4, [])
    assert (report["location"], report["bucket"]) == (f"{films}/", None)
    checks = json.loads(home_shell.run("doctor", "--json", *here).stdout)["checks"]
    (line,) = [check for check in checks if check["name"] == "Archive"]
    assert (line["state"], str(films) in line["words"]) == ("ok", True)
    # Linked, not copied: from the page's folder to the archive.
    shown = home_shell.run("gallery", "--links", "--folder", "page", *here)
    assert shown.returncode == 0, shown.stderr
    assert "../films/videos/" in (home_shell.folder / "page" / "index.html").read_text()
    assert [path.name for path in (home_shell.folder / "page").iterdir()] == ["index.html"]
    copied = json.loads(home_shell.run("gallery", page.parent.name, "--json", *here).stdout)
    assert (copied["videos"], copied["missing"]) == (2, [])
    assert len(list((home_shell.folder / "gallery").glob("videos/*/*.mp4"))) == 2
    # What looks like markup or a colour is a folder's name like any other, and is shown as such.
    odd = home_shell.run("gallery", "--folder", "a[/b]\x1b[31mc", *here)
    assert odd.returncode == 0, odd.stderr
    assert "a[/b]\\x1b[31mc" in odd.stderr
    assert "\x1b" not in odd.stdout + odd.stderr
    assert api.charges == 2


def test_what_is_gone_from_the_folder_is_found(home_shell):
    """An audit names the file, and says nothing of a bucket."""
    assert home_shell.run("generate", "a fox", *SMALL).returncode == 0
    (video,) = archive_of(home_shell).glob("videos/*/*.mp4")
    video.unlink()
    done = home_shell.run("audit")
    assert done.returncode == 1
    assert "the record names it, but it is missing" in done.stdout
    assert "bucket" not in (done.stdout + done.stderr).lower()


def test_an_interrupted_purchase_is_collected(home_shell, api):
    """A run that waits for a moment leaves the job id in the folder; collect brings the video into it."""
    api.faults({"on": "retrieve", "kind": "status", "status": 500, "times": 1})
    done = home_shell.run("generate", "a fox", *SMALL, "--deadline", "0.001")
    assert done.returncode == 1, done.stdout
    assert [path.name for path in archive_of(home_shell).glob("inflight/*/job.json")] == ["job.json"]
    done = home_shell.run("collect", "--wait", "20")
    assert done.returncode == 0, done.stderr
    assert len(list(archive_of(home_shell).glob("records/*.json"))) == 1
    assert not (archive_of(home_shell) / "inflight").exists()
    assert api.charges == 1


@pytest.mark.parametrize(
    ("variables", "words", "said"),
    [
        (
            {"VIDEO_ARCHIVE_FOLDER": None},
            (),
            "There is no archive: set VIDEO_ARCHIVE_FOLDER (or --archive-folder DIR) for a folder or",
        ),
        ({"VIDEO_ARCHIVE_BUCKET": "b"}, (), "VIDEO_ARCHIVE_BUCKET and VIDEO_ARCHIVE_FOLDER are both set"),
        ({}, ("--archive", "block", "--archive-folder", "x"), "Give either --archive"),
        ({"VIDEO_ARCHIVE_FOLDER": "/dev/null/films"}, (), "/dev/null/films cannot be created (Not a"),
    ],
)
def test_one_archive_is_needed(home_shell, variables, words, said):
    """One sentence, exit code 2, and nothing was created."""
    done = home_shell.run("generate", "a fox", *SMALL, *words, **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_image_travels_inside_of_the_request(home_shell, media_folder, api):
    """The sandbox shows it in the video; what is kept is its reference, as in a bucket, and no data URL."""
    image = str(media_folder / "red.png")
    done = home_shell.run("generate", "a fox", *SMALL, "--frame-images", image, "--json")
    assert done.returncode == 0, done.stderr
    (kept,) = archive_of(home_shell).glob("media/*.png")
    (record,) = archive_of(home_shell).glob("records/*.json")
    document = json.loads(record.read_text())
    assert f"archive:media/{kept.name}" in json.dumps(document["plan"])
    assert ";base64," not in json.dumps(document["plan"])
    assert row_of(done)["id"] == document["id"]
    assert api.charges == 1


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        ("--source-video", "clip.mp4", "videos and audio cannot be sent from a folder"),
        ("--audio-inputs", "voice.wav", "videos and audio cannot be sent from a folder"),
        ("--frame-images", "large.png", "an image sent from a folder may have at most 45 kB"),
    ],
)
def test_media_that_cannot_be_sent_are_refused(home_shell, media_folder, api, option, name, said):
    """Before anything is bought, with what to do."""
    noise = random.Random(1).randbytes(200 * 200 * 3)
    Image.frombytes("RGB", (200, 200), noise).save(media_folder / "large.png")
    done = home_shell.run("generate", "a fox", *SMALL, option, str(media_folder / name))
    assert done.returncode == 2
    assert f"{name}: " in done.stderr
    assert said in done.stderr
    assert "use an https:// link or an archive in a bucket" in done.stderr
    assert api.posts == 0


def test_the_file_that_is_named(home_shell):
    """A copy of the new video, and of the same video when it is reused; --json says where."""
    done = home_shell.run("generate", "a fox", *SMALL, "-o", "new/fox.mp4")
    assert done.returncode == 0, done.stderr
    fox = home_shell.folder / "new" / "fox.mp4"
    assert done.stdout.splitlines()[-1] == f"Play: {fox}"
    (video,) = archive_of(home_shell).glob("videos/*/*.mp4")
    assert fox.read_bytes() == video.read_bytes()
    again = home_shell.run("generate", "a fox", *SMALL, "-o", "new/fox.mp4", "--json")
    assert (again.returncode, row_of(again)["file"]) == (0, str(fox))
    assert [path.name for path in fox.parent.iterdir()] == ["fox.mp4"]


def test_nothing_is_overwritten(home_shell, api):
    """The file stays, the video is in the archive, and the sentence says where."""
    (home_shell.folder / "fox.mp4").write_text("my own film")
    done = home_shell.run("generate", "a fox", *SMALL, "-o", "fox.mp4", "--json")
    assert done.returncode == 1
    row = row_of(done)
    assert (row["state"], row["file"]) == ("archived", None)
    assert "fox.mp4 exists with different content, and was not overwritten." in done.stderr
    assert f"remove it. The video is at {row['uri']}" in done.stderr
    assert (home_shell.folder / "fox.mp4").read_text() == "my own film"
    assert api.charges == 1


def test_copies_of_a_batch_from_a_bucket(ready_shell, small_file):
    """Whatever the archive is; a video that was bought before is fetched as well."""
    assert ready_shell.run("batch", str(small_file("a fox"))).returncode == 0
    done = ready_shell.run("batch", str(small_file("a fox", "a hare")), "--output", "films", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["videos"]
    assert {row["state"] for row in rows} == {"reused", "archived"}
    for row in rows:
        assert hashlib.sha256(Path(row["file"]).read_bytes()).hexdigest() == row["sha256"]
    assert {Path(row["file"]).parent for row in rows} == {ready_shell.folder / "films"}


@pytest.mark.parametrize(
    ("command", "output", "said"),
    [
        ("generate", "/dev/null/films", "/dev/null/films cannot be written"),
        ("generate", "/dev/null/fox.mp4", "/dev/null cannot be written"),
        ("batch", "fox.mp4", "looks like a file, but a batch needs a folder"),
    ],
)
def test_an_output_that_cannot_be_written(home_shell, small_file, api, command, output, said):
    """It is found before anything is bought."""
    words = ("a fox", *SMALL) if command == "generate" else (str(small_file("a fox")),)
    done = home_shell.run(command, *words, "--output", output)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Nothing was created." in done.stderr
    assert api.posts == 0


def test_a_request_has_one_id_in_a_bucket_and_in_a_folder(ready_shell, media_folder):
    """What is bought into a bucket and copied to a disk is found there: the request's media have the same names."""
    image = str(media_folder / "red.png")
    words = ("generate", "a fox", *SMALL, "--frame-images", image, "--json")
    bucket = row_of(ready_shell.run(*words))
    folder = row_of(ready_shell.run(*words, "--archive-folder", "films"))
    assert bucket["id"] == folder["id"]
    assert bucket["uri"] == f"s3://{ready_shell.environment['VIDEO_ARCHIVE_BUCKET']}/{bucket['key']}"


@pytest.mark.anyio
async def test_the_monthly_limit_holds_in_a_folder(home_shell, api):
    """What the first run paid is what the second has no room for."""
    limit = {"VIDEO_ARCHIVE_MONTHLY_LIMIT_USD": "0.4"}
    assert home_shell.run("generate", "a fox", *SMALL, **limit).returncode == 0
    done = home_shell.run("generate", "a hare", *SMALL, **limit)
    assert done.returncode == 1
    assert "the archive's limit of 0.40 USD a month" in done.stdout + done.stderr
    async with VideoArchive(folder=str(archive_of(home_shell))).open() as ledger:
        assert len(await ledger.store.list("spending/")) == 1
    assert api.charges == 1
