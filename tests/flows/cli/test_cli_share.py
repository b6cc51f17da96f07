"""`share`: links for people without access, to videos of a bucket; paths in a folder."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

SMALL = ("--model", "pixverse/pixverse-v5", "--width", "64", "--height", "48", "--seconds", "1", "--fps", "8")


def batch_of(shell: Any, file: Any) -> tuple[str, list[str]]:
    """The id of a batch, and those of its videos."""
    done = shell.run("batch", str(file))
    assert done.returncode == 0, done.stderr
    again = json.loads(shell.run("batch", str(file), "--json").stdout)
    (page,) = re.findall(r"batches/([\w-]+)/index\.html", done.stdout)
    return page, [row["id"] for row in again["videos"]]


def test_links_of_a_batch_and_of_a_video(ready_shell: Any, small_file: Any, api: Any) -> None:
    """One a line, that opens the video without keys and says its own end; nothing is bought."""
    batch, videos = batch_of(ready_shell, small_file("a fox", "a hare"))
    done = ready_shell.run("share", batch, videos[0], "--days", "7")
    assert done.returncode == 0, done.stderr
    links = done.stdout.splitlines()
    assert len(links) == 2
    for link in links:
        assert "X-Amz-Expires=604800" in link
        answer = httpx.get(link, trust_env=False)
        assert (answer.status_code, answer.content[4:8]) == (200, b"ftyp")
    assert re.search(r"The links work until \d{4}-\d\d-\d\d \d\d:\d\d UTC", done.stderr)

    done = ready_shell.run("share", videos[1], "--json")
    said = json.loads(done.stdout)
    ends = datetime.fromisoformat(said["ends_at"])
    assert abs(ends - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=5)
    (row,) = said["videos"]
    assert (row["id"], row["title"], row["file"]) == (videos[1], "a hare", None)
    assert "X-Amz-Expires=86400" in row["link"]
    assert api.charges == 2


def test_a_folder_gives_paths(home_shell: Any) -> None:
    """Files of this machine have no links: the path is printed, and no time at which it would end."""
    done = home_shell.run("generate", "a fox", *SMALL, "--json")
    (row,) = json.loads(done.stdout)["videos"]
    shared = home_shell.run("share", row["id"])
    assert (shared.returncode, shared.stdout, shared.stderr) == (0, f"{row['file']}\n", "")
    said = json.loads(home_shell.run("share", row["id"], "--json").stdout)
    assert (said["ends_at"], said["videos"][0]["link"], said["videos"][0]["file"]) == (
        None,
        None,
        row["file"],
    )
    (home_shell.home / "Videos/together" / row["key"]).unlink()
    gone = home_shell.run("share", row["id"])
    assert (gone.returncode, gone.stdout) == (1, "")
    assert f"Not in the archive: {row['id']}." in gone.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name videos or batches by their ids"),
        (("nothing",), "There is no video and no batch 'nothing' in"),
        (("../secret",), "'../secret' is not the id of a video or a batch."),
        (("a\nb",), "is not the id of a video or a batch."),
        (("x", "--hours", "0"), "A link works for up to 7 days"),
        (("x", "--hours", "169"), "A link works for up to 7 days"),
        (("x", "--days", "8"), "A link works for up to 7 days"),
        (("x", "--hours", "nan"), "A link works for up to 7 days"),
        (("x", "--hours", "1", "--days", "1"), "Give either --hours or --days."),
        (("x", "--together", "production"), "leave out --together"),
    ],
)
def test_what_cannot_be_shared_is_said_in_one_sentence(
    command: Any, tmp_path: Any, words: tuple[str, ...], said: str
) -> None:
    """No such id, no id at all, or no time that S3 signs for: exit code 2, and nothing on stdout."""
    done = command("share", *words, "--archive-folder", str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.split())
