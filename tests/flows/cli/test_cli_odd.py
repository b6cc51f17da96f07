"""What people really have, from the command line: odd files and lists, labels, late links, jobs that hang."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest

from prefect_together_video.blocks import VideoArchive

DATA = Path(__file__).parents[2] / "data"
SMALL = ("--model", "pixverse/pixverse-v5", "--width", "64", "--height", "48", "--seconds", "1", "--fps", "8")
QUICK = (*SMALL, "--poll-interval", "0.2")


def rows_of(done):
    return json.loads(done.stdout)["videos"]


@pytest.fixture
def odd_shell(home_shell):
    """An archive in a folder beside the files."""
    home_shell.environment["VIDEO_ARCHIVE_FOLDER"] = "films"
    return home_shell


def test_an_edit_list_is_archived(odd_shell, api):
    """About 2.7 s of it, with a poster; a file that says nothing about itself with a note in its record."""
    film = base64.b64encode((DATA / "edit-list.mp4").read_bytes()).decode()
    api.faults({"on": "download", "kind": "file", "body": film})
    (row,) = rows_of(odd_shell.run("generate", "a fox", *QUICK, "--json"))
    assert (row["state"], row["seconds"]) == ("archived", 2.7)
    api.faults({"on": "download", "kind": "file", "body": base64.b64encode(bytes(range(256)) * 9).decode()})
    done = odd_shell.run("generate", "an owl", *QUICK)
    assert "its content could not be checked: it is in a format that cannot be opened here" in done.stdout
    done = odd_shell.run("generate", "an owl", *QUICK, "--json")
    (row,) = rows_of(done)
    assert (row["state"], row["seconds"], done.returncode) == ("reused", None, 0)
    assert "its content could not be checked" in row["notes"][0]
    record = json.loads((odd_shell.folder / "films" / "records" / f"{row['id']}.json").read_text())
    assert record["clip"] is None
    assert "is archived as it is" in record["notes"][0]
    assert odd_shell.run("gallery", "--folder", "page").returncode == 0
    assert odd_shell.run("audit", "--deep").returncode == 0
    assert api.charges == 2


def test_a_list_from_a_chat_and_one_from_excel(odd_shell, api):
    """The first is refused as a whole, with the lines; the second is two requests; paragraphs are prompts."""
    for name in ("numbered.txt", "sep.csv"):
        shutil.copy(DATA / name, odd_shell.folder)
    done = odd_shell.run("batch", "numbered.txt", *QUICK)
    assert (done.returncode, api.charges) == (2, 0)
    assert "line 1: is probably not a prompt" in done.stderr
    done = odd_shell.run("check", "numbered.txt", "--json", *SMALL[:2])
    assert (done.returncode, len(json.loads(done.stdout)["requests"])) == (2, 4)
    done = odd_shell.run("batch", "sep.csv", *QUICK, "--json")
    assert [(row["state"], row["prompt"]) for row in rows_of(done)] == [
        ("archived", "A fox"),
        ("archived", "A cat"),
    ]
    (odd_shell.folder / "two.txt").write_text("A fox\nin the snow.\n\nAn owl\nin a tree.\n")
    done = odd_shell.run("batch", "two.txt", "--paragraphs", *QUICK, "--json")
    assert [row["prompt"] for row in rows_of(done)] == ["A fox in the snow.", "An owl in a tree."]
    done = odd_shell.run("batch", "two.txt", "--paragraphs", "--lines-as-they-are", *QUICK)
    assert done.returncode == 2
    assert api.charges == 4


def test_labels_go_all_the_way(odd_shell, api):
    """From a column and an option into record, summary, file name and page, and into no request."""
    (odd_shell.folder / "a.csv").write_text("Prompt,Scene\na fox,7\n")
    done = odd_shell.run("batch", "a.csv", *QUICK, "--label", "Campaign=Spring 2026", "--json")
    (row,) = rows_of(done)
    assert row["labels"] == {"campaign": "Spring 2026", "scene": "7"}
    (page,) = (odd_shell.folder / "films").glob("batches/*/index.html")
    assert "Spring 2026" in page.read_text()
    (sent,) = api.bill()["jobs"]
    assert "label" not in json.dumps(sent)
    again = odd_shell.run("batch", "a.csv", *QUICK, "--label", "campaign=autumn", "--json")
    assert (rows_of(again)[0]["state"], rows_of(again)[0]["labels"]["campaign"]) == ("reused", "autumn")
    other = odd_shell.run("batch", "a.csv", *QUICK, "--label", "campaign=autumn", "--label-in-id", "--json")
    assert rows_of(other)[0]["state"] == "archived"
    assert api.charges == 2
    wrong = odd_shell.run("generate", "a fox", *QUICK, "--label", "campaign")
    assert (wrong.returncode, "such as campaign=spring" in wrong.stderr) == (2, True)


@pytest.mark.slow
def test_a_link_that_is_not_ready_for_some_seconds(odd_shell, api):
    """400 for a while after completion: archived in the same run."""
    api.faults({"on": "link", "kind": "status", "status": 400, "times": 5})
    done = odd_shell.run("generate", "a fox", *QUICK, "--deadline", "90", "--json")
    assert (rows_of(done)[0]["state"], api.charges) == ("archived", 1)


def test_a_job_that_hangs_is_closed_and_collected(odd_shell, api):
    """Ambiguous until it is bought again; then it is watched, and no finding."""
    api.faults({"on": "create", "kind": "stuck", "times": 1})
    hanging = {"TOGETHER_VIDEO_DOUBT_AFTER_SECONDS": "0.001"}
    done = odd_shell.run("generate", "a fox", *QUICK, "--json", **hanging)
    assert rows_of(done)[0]["state"] == "ambiguous"
    assert "is neither done nor failed" in rows_of(done)[0]["error"]
    collected = odd_shell.run("collect", **hanging)
    assert collected.returncode == 1
    assert "--on-ambiguous resubmit" in collected.stdout + collected.stderr
    done = odd_shell.run("generate", "a fox", *QUICK, "--on-ambiguous", "resubmit", "--json", **hanging)
    assert api.charges == 2
    assert odd_shell.run("generate", "a fox", *QUICK, "--json").returncode == 0
    watched = odd_shell.run("collect", **hanging)
    assert "The video was bought again" in watched.stdout + watched.stderr
    assert odd_shell.run("audit").returncode == 0
    assert api.charges == 2


@pytest.mark.anyio
@pytest.mark.parametrize("word", ["expired", "TIMED_OUT"])
async def test_a_word_that_can_only_be_an_end(odd_shell, api, word):
    """Failed at the first look, and bought again by --retry-failed."""
    api.faults({"on": "retrieve", "kind": "unknown_status", "state": word})
    (row,) = rows_of(odd_shell.run("generate", "a fox", *QUICK, "--json"))
    assert row["state"] == "failed"
    assert word in row["error"]
    api.faults()
    (row,) = rows_of(odd_shell.run("generate", "a fox", *QUICK, "--retry-failed", "--json"))
    assert (row["state"], api.charges) == ("archived", 2)
    async with VideoArchive(folder=str(odd_shell.folder / "films")).open() as ledger:
        assert await ledger.in_flight() == {}
