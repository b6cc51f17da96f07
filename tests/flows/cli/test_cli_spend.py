"""`together-video spend`: the same numbers as a table, as JSON, as CSV and as a page; wrong options are refused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

SMALL = ("--model", "pixverse/pixverse-v5", "--width", "64", "--height", "48", "--seconds", "1", "--fps", "8")
MONTH = f"{datetime.now(UTC):%Y-%m}"

Command = Callable[..., Any]


@pytest.fixture
def archive_of_two(command: Command, api: Any, tmp_path: Path) -> dict[str, str]:
    """An environment whose archive has two videos of a campaign."""
    environment = {
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_FOLDER": str(tmp_path / "archive"),
        "VIDEO_ARCHIVE_MONTHLY_LIMIT_USD": "20",
        "PREFECT_API_URL": "",
    }
    for prompt in ("a fox", "an owl"):
        done = command(
            "generate", prompt, *SMALL, "--label", "campaign=spring", "--poll-interval", "0.1", **environment
        )
        assert done.code == 0, done.err
    return environment


def test_all_ways_to_show_it_agree(archive_of_two: dict[str, str], command: Command, tmp_path: Path) -> None:
    """What people see rounded is what programs get."""
    here = archive_of_two
    document = json.loads(command("spend", "--json", **here).out)
    (row,) = document["rows"]
    assert (row["key"], row["videos"], row["clips"], row["failed"]) == (MONTH, 2, 2, 0)
    assert row["paid_usd"] > 0
    assert row["usd_per_clip"] == pytest.approx(row["paid_usd"] / 2, abs=1e-4)
    month = document["month"]
    assert month["month"] == MONTH
    assert month["left_usd"] == pytest.approx(20 - row["paid_usd"], abs=1e-4)
    shown = command("spend", "--by", "campaign", **here)
    assert shown.code == 0
    assert "spring" in shown.out
    assert f"{row['paid_usd']:.2f} USD paid" in " ".join(shown.out.split())
    assert "left of 20.00 USD" in " ".join(shown.out.split())
    lines = list(csv.DictReader(io.StringIO(command("spend", "--by", "model", "--csv", "-", **here).out)))
    assert [(line["model"], line["clips"], float(line["paid_usd"])) for line in lines] == [
        ("pixverse/pixverse-v5", "2", row["paid_usd"])
    ]
    page, table = tmp_path / "page.html", tmp_path / "spend.csv"
    table.write_text("of yesterday")
    done = command(
        "spend", "--by", "day", "--chart", str(page), "--csv", str(table), "--month", MONTH, **here
    )
    assert done.code == 0
    assert "Written:" in done.err
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert table.read_text().startswith("day,videos,clips")


def test_another_time_is_empty_and_the_month_is_still_said(
    archive_of_two: dict[str, str], command: Command
) -> None:
    document = json.loads(command("spend", "--until", "2020-01-01", "--json", **archive_of_two).out)
    assert document["rows"] == []
    assert document["total"]["videos"] == 0
    assert document["month"]["videos"] == 2


def test_a_record_that_cannot_be_read_is_named(archive_of_two: dict[str, str], command: Command) -> None:
    """The others count, and the exit code says that not all do."""
    folder = Path(archive_of_two["VIDEO_ARCHIVE_FOLDER"])
    (folder / "records" / f"{'a' * 24}.json").write_text("{}")
    done = command("spend", "--json", **archive_of_two)
    assert done.code == 1
    document = json.loads(done.out)
    assert document["unreadable"] == [f"records/{'a' * 24}.json"]
    assert document["total"]["videos"] == 2
    assert "1 record could not be read and does not count: records/aaaa" in " ".join(done.err.split())


@pytest.mark.parametrize(
    "words",
    [
        ("--by", "week"),
        ("--month", "2026-13"),
        ("--month", "2026-11", "--since", "2026-11-01"),
        ("--since", "2026-11-02", "--until", "2026-11-01"),
        ("--json", "--csv", "-"),
        ("--csv", " "),
        ("--csv", "--json"),
        ("--together", "production"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    command: Command, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = command("spend", *words, VIDEO_ARCHIVE_FOLDER=str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert len(done.err.strip()) > 20


def test_a_file_that_cannot_be_written_is_named(
    archive_of_two: dict[str, str], command: Command, tmp_path: Path
) -> None:
    done = command("spend", "--csv", str(tmp_path / "archive" / "store.json" / "x.csv"), **archive_of_two)
    assert done.code == 2
    assert "cannot be written" in done.err
