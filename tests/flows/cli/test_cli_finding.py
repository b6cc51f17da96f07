"""`list`, `show`, `open`, `review` and the redo list, on an archive in a folder."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from prefect_together_video.flows.cli.finding import listing_files, opening
from tests.facts import claim_of
from together_video.ledger.records import Ambiguity, Sweep, VideoPlan, VideoRecord
from together_video.requests import VideoRequest

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
BATCH = "20261127T120000-abcdef"


def put(folder: Path, prompt: str, *, batch: str | None = BATCH, days: int = 0, **more: Any) -> str:
    """A record with its file; gives the id."""
    fields = {"model": "pixverse/pixverse-v5", "prompt": prompt, "width": 640, "height": 360, "seconds": 5}
    request = VideoRequest.model_validate({**fields, **more.pop("request", {})})
    own = {name: more.pop(name) for name in ("take", "sweep", "estimate_usd") if name in more}
    plan = VideoPlan(request=request, batch_id=batch, **own)
    key = f"videos/2026-11-27/clip-{plan.id}.mp4"
    video = {"key": key, "size": 3, "sha256": "0" * 64, "content_type": "video/mp4"}
    at = NOW - timedelta(days=days)
    record = VideoRecord.model_validate(
        {
            "id": plan.id,
            "state": "archived",
            "plan": plan,
            "recorded_at": at,
            "claimed_at": at,
            "cost_usd": Decimal("0.28"),
            "job_id": f"job-{prompt}",
            "video": video,
            **more,
        }
    )
    for path, data in ((f"records/{plan.id}.json", record.model_dump_json()), (key, "mp4")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(data)
    return plan.id


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An empty archive in a folder."""
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


@pytest.fixture
def run(command: Any, archive: Path) -> Any:
    """A command on that archive."""
    return lambda *words, **more: command(*words, "--archive-folder", str(archive), **more)


def review_file(folder: Path, **marks: str | None) -> str:
    """A file as a gallery exports it; the names are ids behind a letter."""
    path = folder / "marks.json"
    listed = [
        {
            "id": video[1:],
            "mark": mark,
            "note": "too dark" if mark == "reject" else "",
            "at": "2026-11-27T13:00:00Z",
        }
        for video, mark in marks.items()
    ]
    document = {
        "review": 1,
        "batch": BATCH,
        "exported_at": "2026-11-27T13:00:00Z",
        "who": "Ann",
        "marks": listed,
    }
    path.write_text(json.dumps(document))
    return str(path)


def test_marks_are_imported_once_and_found_again(run: Any, archive: Path, tmp_path: Path) -> None:
    """They show in list, show, and spend; an unknown clip is reported, and the same file again changes nothing."""
    fox, owl = (
        put(archive, "a fox", request={"labels": {"campaign": "spring"}}),
        put(archive, "an owl", days=1),
    )
    put(archive, "=a hare", batch=None, days=2, state="failed", video=None, cost_usd=None, error="refused")
    marks = review_file(tmp_path, **{f"x{fox}": "star", f"x{owl}": "reject"})
    done = run("review", marks)
    assert (done.code, done.out) == (0, "2 clips: 1 starred, 1 rejected, 1 note.\n")
    assert done.err == f"To make the rejected ones again: together-video batch --from-review {marks}\n"
    again = run("review", marks, "--json")
    assert json.loads(again.out) == {
        "starred": 0,
        "rejected": 0,
        "noted": 0,
        "taken_back": 0,
        "unchanged": 2,
        "unknown_ids": 0,
        "unknown": [],
    }
    stranger = run("review", review_file(tmp_path, **{f"x{'f' * 24}": "star"}))
    assert (stranger.code, "Not in this archive" in stranger.err) == (1, True)
    assert len([*archive.glob("reviews/*/*.json")]) == 2

    rows = json.loads(run("list", "--videos", "--json").out)["videos"]
    assert [(row["prompt"], row["mark"], row["note"]) for row in rows] == [
        ("a fox", "star", ""),
        ("an owl", "reject", "too dark"),
        ("=a hare", None, ""),
    ]
    for words, prompts in {
        ("--mark", "star"): ["a fox"],
        ("--mark", "none"): ["=a hare"],
        ("--search", "DARK"): ["an owl"],
        ("--label", "campaign=spring"): ["a fox"],
        ("--state", "failed"): ["=a hare"],
        ("--videos", "--since", "2026-11-26"): ["a fox", "an owl"],
        ("--model", "pixverse", "--limit", "1"): ["a fox"],
        ("--search", "kite"): [],
    }.items():
        found = json.loads(run("list", *words, "--json").out)["videos"]
        assert [row["prompt"] for row in found] == prompts, words
    shown = json.loads(run("show", fox, "--json").out)
    assert (shown["review"]["mark"], shown["review"]["who"]) == ("star", "Ann")
    assert "too dark" in run("show", owl[:6]).out
    total = json.loads(run("spend", "--json").out)["total"]
    assert (total["accepted"], total["rejected"], total["usd_per_accepted"]) == (1, 1, 0.56)
    assert "1 accepted at 0.56 USD each, 1 rejected" in run("spend").out


def test_lists_for_people_and_for_programs(
    run: Any, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches without a filter; tables fit 80 columns; formulas are defused; batches without a page are listed."""
    fox = put(archive, "=HYPERLINK(1)" + "x" * 100, request={"labels": {"campaign": "@x"}})
    put(archive, "an owl", batch="20261126T120000-abcdef", days=1)
    document = {
        "title": "Foxes \x1b[31m",
        "videos": [{"id": fox, "state": "archived"}, {"id": "b", "state": "skipped"}],
    }
    (archive / "batches" / BATCH).mkdir(parents=True)
    (archive / "batches" / BATCH / "batch.json").write_text(json.dumps(document))
    rows = json.loads(run("list", "--json").out)["batches"]
    assert [(row["id"], row["videos"], row["archived"], row["paid_usd"]) for row in rows] == [
        (BATCH, 2, 1, 0.28),
        ("20261126T120000-abcdef", 1, 1, 0.28),
    ]
    assert (rows[0]["at"], rows[0]["page"]) == ("2026-11-27T12:00:00Z", f"batches/{BATCH}/index.html")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    for words in (("list",), ("list", "--videos")):
        lines = run(*words).out.splitlines()
        assert len(lines) == 3
        assert max(map(len, lines)) <= 80
    monkeypatch.delenv("FORCE_COLOR")
    table = list(csv.DictReader(io.StringIO(run("list", "--videos", "--csv", "-").out)))
    assert (table[0]["prompt"][:7], table[0]["labels"]) == ("'=HYPER", "campaign=@x")
    lines = run("list", "--batch", BATCH[:8], "--jsonl", "-").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [fox]
    file = tmp_path / "list.csv"
    done = run("list", "--videos", "--csv", str(file))
    assert (done.out, len(file.read_text().splitlines())) == ("", 3)
    for words, said in {
        ("--limit", "0"): "--limit must be at least 1",
        ("--csv", "-", "--json"): "each writes to standard output",
        ("--batch", "20270101"): "There is no batch '20270101'",
        ("--batch", "202611"): "2 batches start with 202611",
        ("--since", "yesterday"): "is not a day",
        ("--together", "x"): "leave out --together",
    }.items():
        refused = run("list", *words)
        assert (refused.code, refused.out) == (2, ""), words
        assert said in " ".join(refused.err.split())


def test_parquet_where_pyarrow_is(
    run: Any, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table with the columns of the CSV; without pyarrow one sentence, before anything is read."""
    put(archive, "a fox")
    file = tmp_path / "list.parquet"
    written: dict[str, Any] = {}

    def missing(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(listing_files, "import_module", missing)
    done = run("list", "--parquet", str(file))
    assert (done.code, "Parquet needs pyarrow" in done.err) == (2, True)

    class Arrow:
        float64 = int64 = string = bool_ = staticmethod(lambda: "kind")
        schema = staticmethod(dict)

        @staticmethod
        def table(columns: dict[str, list[Any]], schema: dict[str, str]) -> dict[str, list[Any]]:
            assert [*columns] == [*schema]
            return columns

        @staticmethod
        def write_table(table: dict[str, list[Any]], path: str) -> None:
            written.update(table)
            Path(path).write_text("table")

    monkeypatch.setattr(listing_files, "import_module", lambda _: Arrow)
    assert run("list", "--videos", "--parquet", str(file)).code == 0
    assert (written["prompt"], written["labels"], file.read_text()) == (["a fox"], ["{}"], "table")


def test_a_video_is_found_by_id_key_address_and_job(
    run: Any, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In show and open, by as much as names it; open prints where it is, and opens it where there is a display."""
    fox, owl = put(archive, "a fox"), put(archive, "an owl")
    path = archive / f"videos/2026-11-27/clip-{fox}.mp4"
    opened: list[str] = []
    monkeypatch.setattr(opening.webbrowser, "open", lambda address: opened.append(address) or True)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(opening.sys, "platform", "linux")
    for name in (
        fox,
        fox[:6].upper(),
        str(path),
        path.as_uri(),
        f"s3://b/videos/clip-{fox}.mp4",
        "job-a fox",
    ):
        assert json.loads(run("show", name, "--json").out)["id"] == fox, name
        assert run("open", name).out == f"{path.as_uri()}\n"
    assert opened == []
    run("open", fox, DISPLAY=":0")
    assert opened == [path.as_uri()]
    page = archive / "batches" / BATCH / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("page")
    assert run("open", BATCH[:10]).out == f"{page.as_uri()}\n"
    (archive / f"videos/2026-11-27/clip-{owl}.mp4").unlink()
    for name, said in {
        owl: "is missing",
        "0" * 24: "There is no video and no batch",
        "../../etc/passwd": "There is no video",
        "\x1b[31m": "There is no video",
        "": "Give the id of a video",
    }.items():
        done = run("open", name)
        assert (done.code, done.out) == (2, ""), name
        assert said in " ".join(done.err.split())
        assert "\x1b" not in done.err


def test_a_redo_list_is_the_same_however_often_it_is_run(run: Any, archive: Path, tmp_path: Path) -> None:
    """Takes of others are passed over, a take that was made for the clip is found again; notes are labels."""
    fox = put(archive, "a fox")
    second = put(archive, "a fox", take=2)
    owl = put(archive, "an owl", request={"seed": 7})
    marks = review_file(tmp_path, **{f"x{fox}": "reject", f"x{second}": "reject", f"x{owl}": "reject"})

    def lines() -> list[dict[str, Any]]:
        done = run("review", marks, "--redo-list")
        assert done.code == 0, done.err
        return sorted(map(json.loads, done.out.splitlines()), key=lambda line: (line["prompt"], line["take"]))

    first = lines()
    assert [(line["prompt"], line["take"], line["labels"]["redo_of"]) for line in first] == [
        ("a fox", 3, fox),
        ("a fox", 4, second),
        ("an owl", 2, owl),
    ]
    # One of them has been made, one is in flight, and somebody has made another take meanwhile.
    put(archive, "a fox", take=4, request={"labels": {"redo_of": second}})
    request = VideoRequest.model_validate(
        {name: value for name, value in first[2].items() if name not in {"take"}}
    )
    plan = VideoPlan(request=request, take=2)
    claim = claim_of(
        plan,
        claimed_at=NOW,
    )
    (archive / "inflight" / plan.id).mkdir(parents=True)
    (archive / "inflight" / plan.id / "claim.json").write_text(claim.model_dump_json())
    put(archive, "a fox", take=5)
    assert lines() == first
    # The third take is somebody else's: the clip gets the next that is free, and keeps it.
    put(archive, "a fox", take=3)
    assert [line["take"] for line in lines()] == [4, 6, 2]


def test_a_redo_is_planned_like_any_batch(run: Any, archive: Path, tmp_path: Path, api: Any) -> None:
    """By a file or by the marks of a batch in the archive: the next take; nothing is bought in a dry run."""
    fox = put(archive, "a fox")
    document = {"videos": [{"id": fox, "state": "archived", "model": "m"}]}
    (archive / "batches" / BATCH).mkdir(parents=True)
    (archive / "batches" / BATCH / "batch.json").write_text(json.dumps(document))
    marks = review_file(tmp_path, **{f"x{fox}": "reject"})
    place = {"TOGETHER_BASE_URL": api.url, "TOGETHER_API_KEY": "key"}
    nothing = run("batch", "--from-review", BATCH, "--dry-run", **place)
    assert (nothing.code, "nothing to make" in nothing.err) == (0, True)
    run("review", marks)
    by_file = run("batch", "--from-review", marks, "--dry-run", "--json", **place)
    assert by_file.code == 0, by_file.err
    (row,) = json.loads(by_file.out)["videos"]
    expected = VideoRequest(model="pixverse/pixverse-v5", prompt="a fox", width=640, height=360, seconds="5")
    assert row["id"] == VideoPlan(request=expected, take=2).id
    assert row["labels"] == {"redo_of": fox}
    by_batch = run("batch", "--from-review", BATCH[:9], "--dry-run", **place)
    assert by_batch.code == 0, by_batch.err
    assert "take 2: a fox (too dark)" in by_batch.err
    for words, said in {
        ("--from-review", "nothing.json"): "nothing.json: there is no such file",
        ("--from-review", marks, "--brief", "foxes"): "Give one of",
        ("--from-review", marks, "--seed", "7"): "--seed cannot change them",
        ("--from-review", marks, "--count", "7"): "--count only work with --brief",
    }.items():
        refused = run("batch", *words, **place)
        assert (refused.code, said in " ".join(refused.err.split())) == (2, True), refused.err
    assert api.charges == 0


def put_batch(folder: Path, *videos: dict[str, Any], batch: str = BATCH) -> None:
    """What the run of a batch reports at its end."""
    (folder / "batches" / batch).mkdir(parents=True)
    document = {"videos": [{"model": "m", **video} for video in videos]}
    (folder / "batches" / batch / "batch.json").write_text(json.dumps(document))


def test_what_is_perhaps_paid_is_visible(run: Any, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A create without a clear answer, and a failed job without a cost: in the rows, the totals, JSON and CSV."""
    put(archive, "a fox", batch=BATCH, cost_usd=Decimal("0.3234"))
    plan = VideoPlan(
        request=VideoRequest(prompt="an owl", model="minimax/hailuo-02"), batch_id=BATCH, estimate_usd="0.30"
    )
    claim = claim_of(plan)
    doubt = Ambiguity(id=plan.id, token=claim.token, found_at=NOW, reason="no answer")
    for name, fact in (("claim", claim), ("ambiguous", doubt)):
        path = archive / "inflight" / plan.id / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fact.model_dump_json())
    put(archive, "a cat", batch=BATCH, state="failed", cost_usd=None, video=None)
    shown = run("list", "--videos")
    cells = {line.split()[-1]: line for line in shown.out.splitlines()}
    assert " ?0.3000 " in cells["owl"]
    assert " 0.3234 " in cells["fox"]
    # Nobody knows what it may have cost.
    assert " ? " in cells["cat"]
    assert shown.err == "3 videos: 0.3234 USD paid, 0.30 USD perhaps paid.\n"
    document = json.loads(run("list", "--videos", "--json").out)
    assert (document["cost_usd"], document["perhaps_paid_usd"]) == (0.3234, 0.3)
    rows = {row["prompt"]: row for row in document["videos"]}
    assert [rows[name]["perhaps_paid"] for name in ("a fox", "an owl", "a cat")] == [False, True, True]
    assert (rows["an owl"]["perhaps_paid_usd"], rows["an owl"]["cost_usd"]) == (0.3, None)
    batches = run("list")
    assert re.search(r"USD +perhaps", batches.out)
    assert re.search(r"0\.3234 +0\.30", batches.out)
    assert batches.err == "1 batch: 0.3234 USD paid, 0.30 USD perhaps paid.\n"
    (batch,) = json.loads(run("list", "--json").out)["batches"]
    assert (batch["paid_usd"], batch["perhaps_paid_usd"], batch["in_flight_usd"]) == (0.3234, 0.3, 0)
    (owl,) = csv.DictReader(io.StringIO(run("list", "--search", "owl", "--csv", "-").out))
    assert (owl["cost_usd"], owl["perhaps_paid"], owl["perhaps_paid_usd"]) == ("", "True", "0.3")


def test_a_batch_lists_what_it_reused_and_what_it_did_not_buy(run: Any, archive: Path) -> None:
    """As its summary reports them; a refused clip has no record. A report that is unusable costs nothing else."""
    own = put(archive, "a fox")
    reused = put(archive, "an owl", batch="20261101T120000-abcdef", days=26)
    put(archive, "a hare", batch=None)
    refused = {
        "id": "f" * 24,
        "state": "refused",
        "prompt": "a \x1b[31mcat",
        "error": "no",
        "varies": {"seed": "2"},
    }
    gone = {"id": "e" * 24, "state": "archived", "prompt": "its record is gone"}
    put_batch(archive, {"id": own, "state": "archived"}, {"id": reused, "state": "reused"}, refused, gone)

    def listed(*words: str) -> list[tuple[str, str]]:
        rows = json.loads(run("list", "--batch", BATCH, "--json", *words).out)["videos"]
        return [(row["id"], row["state"]) for row in rows]

    assert sorted(listed()) == sorted([(own, "archived"), ("f" * 24, "refused"), (reused, "archived")])
    assert listed("--state", "refused", "--search", "seed 2") == [("f" * 24, "refused")]
    assert listed("--search", "owl") == [(reused, "archived")]
    shown = run("list", "--batch", BATCH).out
    assert "seed 2" in shown
    assert "\x1b" not in shown
    (archive / "batches" / BATCH / "batch.json").write_text(
        '{"videos": [{"id": "../x", "state": "refused"}]}'
    )
    assert listed() == [(own, "archived")]


@pytest.mark.parametrize("state", ["refused", "skipped"])
def test_only_a_batch_knows_what_was_not_bought(run: Any, archive: Path, state: str) -> None:
    """An empty list would say that nothing was refused."""
    done = run("list", "--state", state)
    assert done.code == 2
    assert f"--state {state} needs --batch" in done.err


def test_members_of_a_sweep_differ_in_narrow_lists(
    run: Any, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prompt is cut before what varies, no column is empty, and no line of a pipe ends in blanks."""
    for seed in ("1", "2"):
        sweep = Sweep(label="line 1", values={"seed": seed, "aspect": "9:16"})
        put(archive, "a fox in the deep snow of a winter", request={"seed": int(seed)}, sweep=sweep)
    rows = json.loads(run("list", "--videos", "--json").out)["videos"]
    assert sorted(row["varies"] for row in rows) == ["seed 1 · 9:16", "seed 2 · 9:16"]
    lines = run("list", "--videos").out.splitlines()
    assert "mark" not in lines[0]
    assert lines == [line.rstrip() for line in lines]
    for name, value in {"COLUMNS": "80", "FORCE_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    narrow = run("list", "--videos").out
    assert max(map(len, narrow.splitlines())) <= 80
    assert ("seed 1 · 9:16" in narrow, "seed 2 · 9:16" in narrow) == (True, True)


def test_show_explains_the_request_and_the_money(run: Any, archive: Path) -> None:
    """Every field that was sent; what has no reported cost is perhaps paid, as in spend."""
    more = {"seed": 7, "guidance_scale": 6.5, "extra": {"motion": [1]}}
    fox = put(archive, "a fox", request=more)
    lost = put(
        archive,
        "a hare",
        state="abandoned",
        video=None,
        cost_usd=None,
        estimate_usd=Decimal("0.30"),
        error="none",
    )
    shown = dict(line.split(None, 1) for line in run("show", fox).out.splitlines() if " " in line)
    for name, text in {
        "size": "640 × 360",
        "seconds": "5",
        "seed": "7",
        "guidance_scale": "6.5",
        "motion": "[1]",
        "paid": "0.28 USD",
    }.items():
        assert shown[name].strip() == text, name
    text = " ".join(run("show", lost).out.split())
    assert "perhaps paid at most 0.30 USD" in text
    document = json.loads(run("show", lost, "--json").out)
    assert (document["cost_usd"], document["perhaps_paid_usd"], document["in_flight_usd"]) == (
        None,
        0.3,
        None,
    )


def test_a_batch_is_not_taken_for_a_video(run: Any, archive: Path, tmp_path: Path, command: Any) -> None:
    """`show` names the commands for a batch; where there is no folder, that is said of each id."""
    put_batch(archive)
    for name in (BATCH, BATCH[:8]):
        said = " ".join(run("show", name).err.split())
        assert f"{BATCH} is a batch, not a video. together-video list --batch {BATCH}" in said
    assert "There is no video" in run("show", "20270101T120000-abcdef").err
    nowhere = str(tmp_path / "nowhere")
    for words in (("gallery", BATCH), ("list",), ("show", BATCH), ("open", BATCH), ("share", BATCH)):
        done = command(*words, "--archive-folder", nowhere)
        assert (done.code != 0, "There is no folder" in done.err) == (True, True), (words, done.err)


def test_marks_come_through_a_pipe_as_well(run: Any, archive: Path, tmp_path: Path, api: Any) -> None:
    """As a shell gives them with <(…): --from-review reads them, and `review` names the batch for the next step."""
    fox = put(archive, "a fox")
    marks = Path(review_file(tmp_path, **{f"x{fox}": "reject"})).read_bytes()

    def piped(*words: str, **more: str) -> Any:
        reading, writing = os.pipe()
        os.write(writing, marks)
        os.close(writing)
        try:
            return run(*words, f"/dev/fd/{reading}", **more)
        finally:
            os.close(reading)

    assert "--from-review BATCH_ID\n" in piped("review").err
    place = {"TOGETHER_BASE_URL": api.url, "TOGETHER_API_KEY": "key"}
    planned = piped("batch", "--dry-run", "--from-review", **place)
    assert (planned.code, "take 2: a fox" in planned.err) == (0, True), planned.err


@pytest.mark.parametrize("name", ["list", "show", "open", "review", "gallery", "spend", "share"])
def test_what_only_looks_offers_no_lines_about_changes(command: Any, name: str) -> None:
    """--verbose is for what makes videos."""
    assert "--verbose" not in command(name, "--help").out
